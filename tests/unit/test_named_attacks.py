"""Attacks that broke other messengers, by name: which test shows that this one stands, or why it has nothing to attack.

The tests themselves stand beside the code that is attacked. The numbers are those of the project's list.
"""

from typing import Final

import pytest

from tests.support.hostile_document import DOCUMENT, attack_table
from tests.support.named_tests import exists

LINK, LINKS_OWN = "unit/link/test_named_attacks.py", "unit/link/test_handshake.py"
VAULT, CHANNEL = "unit/vault/test_named_attacks.py", "unit/channel/test_named_attacks.py"
CODEC = "unit/wire/test_codec.py"
CROWD = "e2e/test_crowds.py"
VISITORS = "unit/firewall/test_hostile_visitors.py"
DOOR, RECORDS = "unit/firewall/test_hostile_peers.py", "unit/link/test_records.py"

WHAT: Final[dict[int, str]] = {
    1: "key compromise impersonation (Tox): my key is stolen, others pose as my friends to me",
    2: "unknown key share, identity misbinding (SIGMA)",
    3: "reflection, a session with oneself",
    4: "message 1 of a handshake played again",
    5: "resumption tickets stolen or played again",
    6: "downgrade of suite or version, rollback of keys",
    7: "invalid-curve and low-order points",
    8: "key confusion (PQXDH), KEM re-encapsulation",
    9: "one-time prekeys used up by strangers",
    10: "one key's boxes or signatures used in another protocol (Threema)",
    11: "compression as a side channel (Threema)",
    12: "a cloned device (Threema, Signal)",
    13: "messages put in another order (Threema, MTProto)",
    14: "malleable ciphertext, unchecked padding (MTProto)",
    15: "key exchange without authentication (MTProto)",
    16: "an RSA padding oracle (Bleichenbacher, Manger)",
    17: "a roster injected by a server (Matrix)",
    18: "keys shared with an unverified device (Matrix)",
    19: "a device id taken for a user's key (Matrix)",
    20: "state reset: a removed member returns (Matrix)",
    21: "invitation tokens used twice or elsewhere (SecureJoin)",
    22: "a joiner who names the group (SecureJoin)",
    23: "retransmission to a new key (WhatsApp)",
    24: "forged receipts (WhatsApp, Threema)",
    25: "sender keys: speaking as another, reading after removal",
    26: "invisible salamanders, partitioning oracles",
    27: "silent pings: presence read off receipts (Careless Whisper)",
    28: "short codes ground until they fit",
    29: "active content (EFAIL)",
    30: "a login phrase signed once and played again",
    31: "two keys or pictures with one MD5",
    32: "a digest of the plaintext beside the backup",
    33: "password costs that kill, or cost nothing, in a file's header",
    34: "a ratchet rolled back, a nonce used twice after a crash",
    35: "skipped keys that exhaust memory or time",
    36: "backdated acts of a removed admin",
    37: "two versions of one key log shown to two people",
    38: "squatting, stale and withheld records at a tracker",
    39: "two public keys in one Ed25519 signature, biased nonces",
    40: "slow loris, amplification",
    41: "look-alike names, terminal escapes, bidi",
    42: "links and loose permissions on sockets and files",
    43: "a stream cut short, a forged close",
    44: "msgpack bombs, duplicate keys, longer forms",
    45: "parts of two backups mixed",
}

MET: Final[dict[int, tuple[str, ...]]] = {
    1: (
        f"{LINK}::test_a_thief_of_my_link_key_cannot_call_me_as_my_friend",
        f"{LINK}::test_a_thief_of_my_link_key_cannot_answer_me_as_my_friend",
    ),
    2: (
        f"{LINK}::test_a_call_to_one_cannot_be_passed_on_to_another",
        f"{LINK}::test_listing_anothers_link_key_takes_no_link_from_it",
        f"{LINK}::test_a_stolen_name_needs_the_key_behind_it",
        f"{LINK}::test_an_initiator_that_claims_somebody_else_behind_its_own_key_is_not_believed",
        f"{LINK}::test_no_message_of_one_run_passes_in_another",
        "unit/contacts/test_request.py::test_the_signature_itself_binds_the_context",
    ),
    3: (
        f"{LINKS_OWN}::test_H030_a_reflected_message_is_refused",
        f"{LINKS_OWN}::test_H030_a_reflected_identity_is_refused",
        f"{LINKS_OWN}::test_H030_the_responder_refuses_its_own_identity",
        "unit/channel/test_traffic.py::test_what_is_mine_does_not_open_as_the_peers",
    ),
    4: (f"{VISITORS}::test_H031_a_replayed_first_message_meets_silence",),
    6: (
        f"{LINKS_OWN}::test_H034_another_suite_or_version_ends_the_handshake",
        "unit/channel/test_epoch.py::test_every_part_of_the_transcript_counts",
        "unit/vault/test_pins.py::test_what_is_not_newer_is_not_kept",
        "unit/vault/test_stale_sets.py::test_a_peer_with_an_older_set_gets_the_newest_and_nothing_else",
    ),
    7: (
        f"{LINK}::test_a_low_order_static_key_ends_the_handshake_on_either_side",
        "unit/link/test_noise.py::test_H029_low_order_points_end_the_handshake",
        "unit/channel/test_epoch.py::test_a_low_order_point_is_refused",
        "unit/keys/test_hpke.py::test_public_keys_that_cannot_be_are_refused",
        "unit/keys/test_key_log.py::test_a_discovery_key_that_is_no_point_is_refused",
    ),
    8: (
        f"{LINK}::test_the_same_kem_secret_for_another_key_is_another_run",
        f"{LINK}::test_the_transcript_covers_the_kem_key_and_its_ciphertext",
        f"{LINK}::test_a_kem_key_is_taken_for_nothing_else",
        "unit/channel/test_exchange.py::test_what_the_sides_see_differently_shows_as_a_wrong_mac",
    ),
    10: (
        "unit/keys/test_key_log.py::test_a_device_signature_is_no_root_signature",
        "unit/keys/test_devices.py::test_a_genesis_signature_is_no_set_signature",
        "unit/contacts/test_request.py::test_an_answer_is_no_request",
    ),
    11: ("unit/channel/test_envelope.py::test_short_messages_have_one_size",),
    12: ("unit/vault/test_stale_sets.py::test_two_sets_of_one_number_are_told_as_two_computers",),
    13: (
        f"{CHANNEL}::test_13_an_envelope_that_was_overtaken_never_opens",
        f"{CHANNEL}::test_13_an_envelope_does_not_open_in_another_place",
        "unit/vault/test_chained_messages.py::test_a_message_that_does_not_follow_warns_and_is_kept",
        f"{RECORDS}::test_H020_repeated_skipped_and_swapped_records_are_refused",
        "unit/channel/test_traffic.py::test_messages_open_in_order_and_once",
    ),
    14: (
        f"{CHANNEL}::test_14_no_changed_byte_opens_and_none_tells_where_it_was",
        "unit/channel/test_envelope.py::test_every_byte_is_authenticated_even_with_a_mended_check",
        "unit/channel/test_padding.py::test_a_padding_that_lies_is_refused",
        f"{RECORDS}::test_H021_every_flipped_bit_is_refused_alike",
    ),
    15: (
        f"{CHANNEL}::test_15_an_offer_of_another_link_comes_to_nothing",
        f"{CHANNEL}::test_15_no_private_operation_before_the_peer_has_greeted_as_a_contact",
        "unit/vault/test_rsa_every.py::test_nobody_who_is_not_accepted_costs_a_private_operation",
        "unit/channel/test_agreement_faults.py::test_a_leg_that_does_not_open_looks_like_a_wrong_mac",
        "unit/link/test_noise.py::test_published_vectors",
    ),
    16: (
        f"{CHANNEL}::test_16_a_leg_that_does_not_open_looks_like_any_other",
        f"{CHANNEL}::test_16_the_leg_of_a_message_tells_nothing_either",
        f"{CHANNEL}::test_16_questions_to_the_oracle_are_few",
        "unit/channel/test_agreement_faults.py::test_a_leg_that_does_not_open_looks_like_a_wrong_mac",
        "unit/channel/test_agreement_faults.py::test_eager_legs_wait_for_their_token_also_over_links",
        "unit/channel/test_agreement_faults.py::test_ten_wrong_macs_end_in_error",
    ),
    23: (f"{VAULT}::test_what_waits_is_never_sent_to_a_key_that_the_pinned_root_did_not_sign",),
    24: (
        f"{VAULT}::test_nobody_but_the_recipients_device_acknowledges_a_message",
        f"{VAULT}::test_the_right_receipt_acknowledges",
    ),
    28: (
        "unit/contacts/test_compare.py::test_no_value_is_said_before_the_other_commitment_is_there",
        "unit/contacts/test_compare.py::test_another_value_than_was_committed_to",
        "unit/contacts/test_compare.py::test_another_commitment_after_the_value_was_said",
        "unit/contacts/test_compare.py::test_my_own_commitment_sent_back",
        "unit/contacts/test_compare.py::test_a_commitment_is_bound_to_both_people_both_roots_and_the_link",
        "unit/vault/test_compare_cheats.py::test_few_guesses_a_day_and_restarts_do_not_help",
    ),
    29: ("unit/test_show.py::test_H079_to_H095_no_attack_reaches_the_terminal",),
    31: (
        f"{VAULT}::test_a_picture_with_the_md5_of_another_takes_its_place",
        f"{VAULT}::test_a_message_with_the_md5_of_another_is_not_taken_for_it",
        f"{VAULT}::test_nothing_is_decided_by_the_md5_of_a_key",
    ),
    33: ("unit/keys/test_seal.py::test_h064_costs_out_of_bounds_are_never_paid",),
    34: (
        f"{CHANNEL}::test_34_the_moved_chain_is_in_what_is_to_be_stored_with_the_envelope",
        f"{CHANNEL}::test_34_a_store_put_back_repeats_no_nonce_and_its_key_is_not_taken_twice",
        "simulation/test_channel_search.py::test_it_finds_a_planted_bug",
        "simulation/test_crash_at_every_point.py::test_every_point",
        "unit/channel/test_agreement.py::test_hi_stores_its_pending_epoch_before_accept_leaves_and_lo_before_confirm",
        "unit/channel/test_ratchet.py::test_a_chain_never_goes_back",
    ),
    35: (
        f"{CHANNEL}::test_35_a_jump_too_far_costs_not_one_hash",
        f"{CHANNEL}::test_35_no_skipped_key_is_kept",
        "unit/channel/test_ratchet.py::test_a_jump_is_bounded_before_it_costs_anything",
        "unit/channel/test_dear_envelopes.py::test_a_pending_epoch_is_tried_once",
    ),
    40: (
        f"{CROWD}::test_h031_h032_friends_do_not_notice_slow_and_idle_strangers_in_numbers",
        "unit/link/test_establish.py::test_a_flood_is_read_to_the_budget_only",
        "unit/link/test_establish.py::test_a_flood_behind_a_good_first_message_has_a_budget_too",
        f"{DOOR}::test_H017_a_byte_a_second_cuts_the_link",
        f"{DOOR}::test_a_peer_that_talks_and_never_reads_loses_its_link",
    ),
    41: (
        "unit/test_show.py::test_H079_to_H095_no_attack_reaches_the_terminal",
        "unit/test_show.py::test_H092_names_that_look_alike_have_one_skeleton",
        "e2e/test_bad_input.py::test_names_and_texts_cannot_act_on_the_terminal",
    ),
    42: (
        "unit/test_local_socket.py::test_h002_anything_else_in_its_place_is_refused",
        "unit/test_local_socket.py::test_only_the_user_may_connect",
        "unit/test_home.py::test_a_directory_open_to_others_is_refused",
        "unit/test_home.py::test_another_user_s_directory_is_refused",
        "unit/test_home.py::test_atomic_replace_does_not_follow_a_link",
        "unit/launch/test_lock.py::test_a_link_in_the_lock_s_place_is_not_followed",
        "unit/launch/test_log.py::test_a_link_is_not_followed",
    ),
    43: (
        f"{LINK}::test_only_a_whole_sealed_close_is_an_end_on_purpose",
        f"{LINK}::test_a_close_that_the_peer_did_not_seal_is_damage",
        f"{RECORDS}::test_truncation_is_never_an_end",
    ),
    44: (
        f"{CODEC}::test_H041_a_megabyte_of_empty_containers_is_refused",
        f"{CODEC}::test_H043_duplicate_keys_cannot_be_because_maps_are_refused",
        f"{CODEC}::test_H049_longer_forms_than_needed_are_refused",
    ),
}

GROUPS: Final = "there are no groups yet"
NOT_YET: Final[dict[int, str]] = {
    5: "there are no resumption tickets: every link is a whole handshake",
    9: "there are no one-time prekeys",
    **dict.fromkeys((17, 18, 19, 20, 22, 25, 36), GROUPS),
    21: "nobody is invited by a token yet",
    26: "no backup is read yet; the password file commits to its key",
    27: "receipts go to accepted contacts alone; presence is not told yet",
    30: "nobody logs in anywhere",
    32: "no backup is written yet",
    37: "a key log has one entry in this version: two of them are two IDs",
    38: "no tracker is asked yet",
    39: "no blinded key signs yet",
    45: "no backup is written yet",
}


def test_every_row_is_met_or_has_a_reason() -> None:
    assert sorted([*MET, *NOT_YET]) == sorted(WHAT) == list(range(1, 46))
    assert all(MET.values()) and all(NOT_YET.values())
    assert [row for row, tests in MET.items() if len(set(tests)) < len(tests)] == []


@pytest.mark.parametrize("row", MET)
def test_the_tests_that_are_named_exist(row: int) -> None:
    assert [test for test in MET[row] if not exists(test)] == []


def test_the_document_says_the_same() -> None:
    """After a change here: python -m tests.support.hostile_document"""
    assert attack_table(WHAT, MET, NOT_YET) in DOCUMENT.read_text()
