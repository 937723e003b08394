"""The catalogue of hostile input, number by number: which test meets it, or why none can yet.

The numbers are those of the project's catalogue; the first words beside each say what it is. A number that has
neither a test nor a reason fails, and so does a test that is named here and is gone, or bears a number and is not
named here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.hostile_document import DOCUMENT, hostile_table
from tests.support.hostile_inputs import WHAT
from tests.support.named_tests import TESTS, exists, names_of

RESOLVED = 3  # issues up to this one are done: none of them is a reason for a missing test

RPC, LINES = "unit/rpc/test_server.py", "unit/rpc/test_jsonlines.py"
VISITORS = "unit/firewall/test_hostile_visitors.py"
PEERS, HANDSHAKE = "unit/firewall/test_hostile_peers.py", "unit/link/test_handshake.py"
RECORDS, CODEC, SHOW = "unit/link/test_records.py", "unit/wire/test_codec.py", "unit/test_show.py"
SOCKET, LAUNCHER = "unit/test_local_socket.py", "e2e/test_launcher.py"
CROWDS = "e2e/test_crowds.py::test_h031_h032_friends_do_not_notice_slow_and_idle_strangers_in_numbers"
BAD_INPUT = "e2e/test_bad_input.py"
PARTS = "unit/keys/backup/test_parts.py"
READ = "unit/qr/test_read.py"
ILL_LINES = f"{RPC}::test_H005_to_H009_ill_lines_are_refused_and_the_connection_stays"
ATTACKS = f"{SHOW}::test_H079_to_H095_no_attack_reaches_the_terminal"
DRAWN = "unit/test_show_on_a_terminal.py"
ONLY_DRAWN = f"{DRAWN}::test_a_hundred_thousand_hostile_strings_only_draw"
ON_SCREEN = f"{BAD_INPUT}::test_names_and_texts_cannot_act_on_the_terminal"

MET: dict[int, tuple[str, ...]] = {
    # the local socket
    1: (  # another user connects
        f"{RPC}::test_H001_another_user_is_not_served",
        f"{RPC}::test_H001_the_kernel_tells_who_is_at_the_other_end",
        f"{SOCKET}::test_only_the_user_may_connect",
    ),
    2: (  # a link in the socket's place
        f"{SOCKET}::test_h002_anything_else_in_its_place_is_refused",
        f"{LAUNCHER}::test_h002_a_link_planted_at_the_socket_s_path_is_not_followed",
    ),
    3: (  # a stale socket
        f"{SOCKET}::test_h003_a_dead_daemon_s_socket_is_replaced",
        f"{LAUNCHER}::test_h003_a_stale_socket_is_replaced",
        "unit/rpc/test_client.py::test_H003_a_stale_socket_file_means_that_no_daemon_runs",
    ),
    4: (f"{RPC}::test_H004_a_line_without_end_is_cut_at_the_limit",),  # a line of 1 GiB
    5: (f"{LINES}::test_H005_deep_nesting_is_refused", ILL_LINES),  # 100,000 levels
    6: (f"{LINES}::test_H006_huge_numbers_are_refused", ILL_LINES),  # 5,000 digits
    7: (f"{LINES}::test_H007_what_is_no_whole_number_is_refused", ILL_LINES),  # NaN, Infinity
    8: (f"{LINES}::test_H008_duplicate_keys_are_refused", ILL_LINES),  # duplicate keys
    9: (f"{LINES}::test_H009_lone_surrogates_are_refused", ILL_LINES),  # lone surrogates
    10: (f"{RPC}::test_H010_a_client_that_does_not_read_is_dropped",),  # a client stops reading
    11: (f"{RPC}::test_H011_only_so_many_clients_are_served",),  # 10,000 clients
    12: (  # ids used again, negative, huge
        f"{RPC}::test_H012_an_id_used_again_is_refused",
        f"{LINES}::test_H012_an_id_that_is_no_whole_number_from_zero_is_refused",
    ),
    13: (  # paths as arguments
        f"{RPC}::test_H013_no_method_takes_a_path",
        "unit/commands/test_verbs.py::test_H013_odd_paths_end_here_and_never_reach_the_daemon",
    ),
    14: (f"{RPC}::test_H014_a_web_browsers_request_is_refused_and_cut",),  # a browser's POST
    # frames
    15: (  # lengths that cannot be
        f"{PEERS}::test_H015_a_frame_that_claims_too_much_cuts_the_link",
        f"{PEERS}::test_H015_a_record_that_claims_no_bucket_cuts_the_link",
        f"{RECORDS}::test_H015_a_frame_length_beyond_the_limit_is_refused",
        f"{RECORDS}::test_H015_a_record_size_that_is_no_bucket_is_refused",
        "unit/wire/test_frames.py::test_H015_a_length_beyond_the_limit_is_refused_from_the_header_alone",
    ),
    16: (f"{PEERS}::test_H016_a_record_whose_bytes_never_come_cuts_the_link",),  # bytes that never come
    17: (f"{PEERS}::test_H017_a_byte_a_second_cuts_the_link",),  # one byte a second
    18: (f"{PEERS}::test_H018_an_unknown_type_is_ignored_or_cut_as_its_critical_bit_says",),  # unknown types
    19: (  # unknown versions
        f"{PEERS}::test_H019_an_unknown_frame_version_cuts_the_link",
        f"{RECORDS}::test_H019_an_unknown_frame_version_is_refused",
    ),
    20: (  # sequences repeated, skipped
        f"{PEERS}::test_H020_a_record_out_of_sequence_cuts_the_link",
        f"{RECORDS}::test_H020_repeated_skipped_and_swapped_records_are_refused",
    ),
    21: (  # a flipped bit
        f"{PEERS}::test_H021_flipped_bits_all_end_alike",
        f"{RECORDS}::test_H021_every_flipped_bit_is_refused_alike",
    ),
    22: (  # a valid frame in the wrong state
        f"{PEERS}::test_H022_a_valid_frame_in_the_wrong_role_cuts_the_link",
        f"{HANDSHAKE}::test_H022_no_other_frame_passes_before_authentication",
        f"{HANDSHAKE}::test_H022_objects_out_of_turn_are_refused",
    ),
    23: (  # credit of 2^63, negative credit
        "unit/firewall/test_credit.py::test_H023_credit_of_any_size_grants_nothing",
        "unit/firewall/test_credit.py::test_H023_credit_that_is_said_to_be_critical_cuts_the_link",
    ),
    24: (  # a receipt for a message never sent, or for another queue
        "unit/delivery/test_outgoing.py::test_a_receipt_for_what_was_never_sent_cuts_the_link",
        "unit/delivery/test_outgoing.py::test_a_receipt_for_another_life_says_nothing",
    ),
    25: (  # one message id, two contents
        "unit/store/test_inbox.py::test_H025_the_same_id_with_another_content_keeps_the_first",
        "unit/delivery/test_incoming.py::test_what_to_do_with_a_message",
    ),
    26: (  # 10^6 empty frames
        f"{PEERS}::test_H026_a_flood_of_empty_frames_cuts_the_link",
        f"{PEERS}::test_H026_an_empty_frame_of_a_known_type_cuts_the_link",
    ),
    27: (  # padding longer than its frame
        f"{PEERS}::test_H027_padding_longer_than_the_record_cuts_the_link",
        f"{RECORDS}::test_H027_padding_that_cannot_be_is_refused",
    ),
    # the handshake
    28: (  # WebSocket: no mask, reserved bits, long control frames, endless fragments, bad UTF-8, deflate not agreed
        "unit/link/carriers/test_frames.py::test_H028_what_is_no_websocket_ends_it_once_and_for_all",
        "unit/link/carriers/test_frames.py::test_H028_a_server_that_masks_is_no_server",
        "unit/link/carriers/test_http.py::test_H028_what_is_offered_beside_it_is_not_taken",
        "unit/link/carriers/test_http.py::test_H028_a_server_that_grants_what_nobody_asked_for_is_left",
        "unit/link/carriers/test_websocket.py::test_H028_a_violation_is_told_by_its_close_code",
        "unit/link/carriers/test_websocket.py::test_H028_pings_without_end_end_the_connection",
    ),
    29: (  # low-order points
        f"{HANDSHAKE}::test_H029_a_low_order_ephemeral_is_refused",
        "unit/link/test_noise.py::test_H029_low_order_points_end_the_handshake",
    ),
    30: (  # reflection
        f"{HANDSHAKE}::test_H030_a_reflected_identity_is_refused",
        f"{HANDSHAKE}::test_H030_a_reflected_message_is_refused",
        f"{HANDSHAKE}::test_H030_the_responder_refuses_its_own_identity",
    ),
    31: (f"{VISITORS}::test_H031_a_replayed_first_message_meets_silence", CROWDS),  # replay of message 1
    32: (  # 10,000 handshakes a second
        f"{VISITORS}::test_H032_the_door_holds_no_more_than_its_budget",
        f"{VISITORS}::test_H032_the_door_counts_all_prefixes_together",
        f"{VISITORS}::test_H032_one_neighbourhood_is_one_prefix",
        "unit/link/test_establish.py::test_a_flood_is_read_to_the_budget_only",
        "unit/link/test_establish.py::test_a_flood_behind_a_good_first_message_has_a_budget_too",
        CROWDS,
        "e2e/test_strangers_at_the_port.py::test_three_hundred_idle_visitors_keep_no_friend_out",
    ),
    33: (  # a valid key, not the expected one
        f"{HANDSHAKE}::test_H033_another_identity_under_the_expected_psk_is_named",
        f"{HANDSHAKE}::test_H033_a_stolen_record_without_its_link_key_is_refused",
        f"{HANDSHAKE}::test_H033_an_initiator_without_the_listed_link_key_is_refused",
        "unit/firewall/test_surroundings.py::test_H033_somebody_else_at_a_peers_address_is_told_loudly_and_once",
    ),
    34: (f"{HANDSHAKE}::test_H034_another_suite_or_version_ends_the_handshake",),  # downgrade
    35: (  # RSA with e = 1, an even or a huge modulus: e does not travel, the modulus is checked first
        "unit/keys/test_root.py::test_a_modulus_has_exactly_8192_bits_and_is_odd",
        "unit/keys/test_root.py::test_numbers_that_make_no_key_are_refused",
    ),
    36: (  # both open at once
        "unit/link/test_session.py::test_H036_both_sides_keep_the_link_that_the_smaller_id_dialled",
        "unit/firewall/test_gate.py::test_H036_simultaneous_open_leaves_one_link",
        "unit/firewall/test_races.py::test_H036_whoever_dials_when_and_where_one_link_remains",
    ),
    37: (f"{VISITORS}::test_H037_no_data_is_taken_early",),  # early data
    # msgpack
    38: (f"{CODEC}::test_H038_a_claimed_length_of_four_billion_is_refused",),
    39: (f"{CODEC}::test_H039_a_hundred_thousand_nested_arrays_are_refused",),
    40: (f"{CODEC}::test_H040_nesting_just_beyond_our_depth_is_refused",),
    41: (f"{CODEC}::test_H041_a_megabyte_of_empty_containers_is_refused",),
    42: (f"{CODEC}::test_H042_nested_headers_that_each_claim_a_million_are_refused",),
    43: (f"{CODEC}::test_H043_duplicate_keys_cannot_be_because_maps_are_refused",),
    44: (f"{CODEC}::test_H044_integer_keys_are_refused_with_the_map",),
    45: (f"{CODEC}::test_H045_bad_utf8_is_refused",),
    46: (f"{CODEC}::test_H046_floats_are_refused",),
    47: (f"{CODEC}::test_H047_extension_types_are_refused",),
    48: (f"{CODEC}::test_H048_trailing_bytes_are_refused",),
    49: (
        f"{CODEC}::test_H049_longer_forms_than_needed_are_refused",
        "unit/keys/test_key_log.py::test_h049_what_a_later_version_adds_is_covered_by_the_id",
    ),
    # addresses, keys
    52: (  # addresses in loopback, private, metadata space
        "unit/firewall/test_permit.py::test_some_addresses_are_never_dialled",
        "unit/firewall/test_permit.py::test_near_addresses_need_leave",
        f"{BAD_INPUT}::test_addresses_that_are_never_dialled_are_refused",
    ),
    54: ("unit/firewall/test_address_book.py::test_the_higher_sequence_wins_whatever_comes_later",),  # rollback
    62: ("unit/keys/backup/test_text.py::test_H062_bad_strings_are_named_line_by_line_and_large_ones_never_looked_at",),
    63: (  # damage is told apart; a wrong password and a wrong dongle are not
        "unit/keys/test_seal.py::test_a_wrong_password_is_told_from_damage",
        "unit/keys/test_seal.py::test_H063_a_wrong_password_and_a_wrong_dongle_look_alike",
    ),
    64: ("unit/keys/test_seal.py::test_h064_costs_out_of_bounds_are_never_paid",),  # password costs in a file
    65: (
        f"{PARTS}::test_H065_order_and_repetition_do_not_matter",
        f"{PARTS}::test_H065_missing_parts_are_named",
        f"{PARTS}::test_H065_parts_of_two_backups_are_told_apart",
    ),
    66: (
        f"{PARTS}::test_H066_other_people_s_codes_are_no_p2pchat_codes",
        f"{READ}::test_H066_a_code_of_somebody_else_is_read_as_what_it_is",
        "unit/commands/test_card_codes.py::test_H066_pictures_without_one_card_in_them_say_what_is_in_them",
    ),
    67: (
        "unit/test_picture.py::test_h067_a_picture_that_would_unpack_too_large_is_refused",
        f"{READ}::test_H067_what_would_unpack_too_large_is_never_unpacked",
        f"{READ}::test_H067_a_header_that_lies_ends_in_a_sentence",
        f"{READ}::test_H067_exif_data_that_are_none_do_no_harm",
        f"{READ}::test_H067_a_second_header_is_not_believed",
        f"{READ}::test_H067_a_photo_that_was_taken_sideways_is_read",
        "unit/qr/test_paper.py::test_H067_a_pdf_is_opened_within_bounds",
    ),
    68: (f"{READ}::test_H068_of_many_codes_the_first_eight_count",),  # an image with very many codes
    # names and texts on a terminal
    79: (ATTACKS, ON_SCREEN, ONLY_DRAWN),  # clear screen, cursor
    80: (ATTACKS, ON_SCREEN, ONLY_DRAWN),  # window title
    81: (ATTACKS, ONLY_DRAWN),  # clipboard
    82: (ATTACKS, ONLY_DRAWN),  # links
    83: (ATTACKS, ONLY_DRAWN),  # DCS, APC, PM, SOS
    84: (ATTACKS, ON_SCREEN, ONLY_DRAWN),  # C1
    85: (ATTACKS, ONLY_DRAWN),  # bells
    86: (ATTACKS, ON_SCREEN, ONLY_DRAWN),  # carriage return, backspace
    87: (  # a newline that fakes a line
        f"{SHOW}::test_H087_a_newline_cannot_fake_another_speakers_line",
        f"{SHOW}::test_H087_other_line_separators_do_not_break_lines",
        f"{DRAWN}::test_H087_no_blanks_and_no_emoji_put_a_text_at_the_left_edge",
        ON_SCREEN,
    ),
    88: (ATTACKS, f"{SHOW}::test_H088_right_to_left_text_is_isolated", ON_SCREEN),  # bidi
    89: (
        ATTACKS,
        f"{SHOW}::test_H089_letters_that_draw_nothing_are_named",
        f"{SHOW}::test_H089_a_presentation_mark_stands_on_a_symbol_alone",
        ON_SCREEN,
    ),  # zero width
    90: (  # combining marks
        f"{SHOW}::test_H090_combining_marks_are_bounded",
        f"{SHOW}::test_H090_letters_that_are_drawn_over_one_another_are_bounded",
        f"{SHOW}::test_H090_a_mark_never_sits_on_what_is_not_the_peers",
        ON_SCREEN,
    ),
    91: (  # wide characters, emoji
        f"{SHOW}::test_H091_wide_characters_and_emoji_are_measured",
        f"{SHOW}::test_H091_a_skin_tone_alone_is_wide",
        f"{SHOW}::test_H091_a_joiner_passes_only_between_emoji",
    ),
    92: (  # look-alikes
        f"{SHOW}::test_H092_names_that_look_alike_have_one_skeleton",
        f"{SHOW}::test_H092_names_that_differ_have_different_skeletons",
        f"{SHOW}::test_H092_the_short_id_stands_before_the_nickname",
        "unit/commands/test_look_alikes.py::test_H092_a_request_in_a_contact_s_name_is_marked",
        f"{BAD_INPUT}::test_a_nickname_that_two_bear_is_ambiguous",
    ),
    93: (f"{SHOW}::test_H093_a_long_word_is_wrapped_or_cut",),  # a word of 10 MB
    94: (
        ATTACKS,
        f"{SHOW}::test_every_code_point_is_harmless",
        f"{DRAWN}::test_every_code_point_only_draws",
    ),  # unassigned, private use, surrogates
    95: (ATTACKS, f"{BAD_INPUT}::test_the_largest_text_and_odd_characters_arrive_whole"),  # DEL, NUL, TAB
    # clocks and counts
    102: (  # timestamps that cannot be
        "unit/delivery/test_clock.py::test_jumps_of_ten_years_never_turn_the_order_round",
        "unit/commands/test_verbs.py::test_history_shows_withdrawn_and_unknown_messages",
        "e2e/test_wrong_clock.py::test_friends_write_on_across_clock_jumps_of_years",
    ),
    103: ("unit/delivery/test_lifecycle.py::test_expiry_is_clamped",),  # expiry in the past, for ever
    107: (  # an ID equal to ours
        f"{BAD_INPUT}::test_nobody_writes_to_oneself",
        f"{BAD_INPUT}::test_ones_own_card_is_no_contact",
    ),
}


@dataclass(frozen=True, slots=True)
class Later:
    """Why no test can meet an input yet, and the issue that builds what it would attack (None: none does yet)."""

    issue: int | None
    why: str


TRACKER = Later(5, "no tracker is asked yet")
FILES = Later(None, "no files are sent yet")
GROUPS = Later(6, "there are no groups yet")

NOT_YET: dict[int, Later] = {
    **dict.fromkeys((50, 51, 53, *range(55, 62)), TRACKER),
    **dict.fromkeys(range(69, 77), FILES),
    77: Later(5, "no picture is decoded yet: a peer's is a bounded string of bytes that nobody reads"),
    78: FILES,
    **dict.fromkeys((*range(96, 102), 106), GROUPS),
    104: Later(5, "status and pictures are not passed on by anybody yet"),
    105: Later(6, "no message quotes another yet"),
}

_NUMBERED = re.compile(r"_[hH](\d{3})(?:_to_[hH](\d{3}))?_")


def numbered() -> Iterator[tuple[int, str]]:
    """Every number that a test's name bears, with the test."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in names_of(path):
            if found := _NUMBERED.search(name):
                first, last = int(found[1]), int(found[2] or found[1])
                yield from ((number, f"{path.relative_to(TESTS)}::{name}") for number in range(first, last + 1))


def test_every_number_is_met_or_has_a_reason() -> None:
    assert sorted([*MET, *NOT_YET]) == sorted(WHAT) == list(range(1, 108))
    assert all(MET.values())
    assert [number for number, tests in MET.items() if len(set(tests)) < len(tests)] == []


@pytest.mark.parametrize("number", NOT_YET)
def test_a_reason_names_no_issue_that_is_done(number: int) -> None:
    later = NOT_YET[number]
    assert later.why
    assert later.issue is None or later.issue > RESOLVED


@pytest.mark.parametrize("number", MET)
def test_the_tests_that_are_named_exist(number: int) -> None:
    assert [test for test in MET[number] if not exists(test)] == []


def test_the_document_says_the_same() -> None:
    """After a change here: python -m tests.support.hostile_document"""
    assert hostile_table(MET, {number: later.why for number, later in NOT_YET.items()}) in DOCUMENT.read_text()


def test_the_tests_that_bear_a_number_are_named() -> None:
    exempt = set(range(79, 96))  # one test there runs through many
    forgotten = [
        (number, test)
        for number, test in numbered()
        if test not in MET.get(number, ()) and not (number in exempt and test == ATTACKS)
    ]
    assert not forgotten
