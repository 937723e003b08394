"""The handshake cores against each other, against attackers, and against every bit flip and every truncation."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest

from p2pchat.errors import AuthFailed, BadFormat, CryptoError
from p2pchat.limits import DEVICE_SET_DAYS, HANDSHAKE_1_BYTES, HANDSHAKE_BYTES
from p2pchat.link import handshake
from p2pchat.link.credentials import Credentials, ExpiredDevices, IdentityDiffers
from p2pchat.link.handshake import Initiator, Responder, link_psk
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Objects, Payload1
from tests.support.identities import NOW_MS
from tests.support.links import credentials, device, initiator, introduce, local, responder, shake_hands, user

EXPIRED_MS = NOW_MS + (DEVICE_SET_DAYS + 1) * 24 * 3600 * 1000


@pytest.mark.parametrize("held", [True, False], ids=["pinned", "first contact"])
def test_both_ends_agree_on_keys_and_on_who_they_are(held: bool) -> None:
    one, other = initiator(0, 1, credentials(1) if held else None), responder(1)
    shake_hands(one, other)
    assert one.keyed.handshake_hash == other.keyed.handshake_hash
    assert (one.keyed.send, one.keyed.receive) == (other.keyed.receive, other.keyed.send)
    assert one.keyed.send != one.keyed.receive
    assert (one.credentials.user, one.device) == (user(1), device(1))
    assert (other.claim.user, other.claim.device) == (user(0), device(0))


def test_objects_travel_only_where_they_are_lacking() -> None:
    def second_message(held: Credentials | None) -> int:
        one, other = initiator(0, 1, held), responder(1)
        other.open(one.start())
        return len(other.answer())

    assert second_message(credentials(1)) < 1400
    assert second_message(None) > 1400 + 4000


@pytest.mark.parametrize(("held", "frames"), [(True, 1), (False, 3)])
def test_the_initiator_introduces_itself(held: bool, frames: int) -> None:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(one, other)
    show = ShowCredentials(local(0))
    ask = AskCredentials(other.claim, credentials(0) if held else None, now_ms=NOW_MS)
    assert introduce(one, other, show, ask) == frames
    assert show.done
    assert ask.proven is not None
    assert ask.proven.user == user(0)


def test_two_runs_share_nothing_that_is_fresh() -> None:
    messages = set()
    for name in ("a", "b"):
        one, other = initiator(0, 1, credentials(1), name=f"i{name}"), responder(1, name=f"r{name}")
        first = one.start()
        other.open(first)
        messages |= {first[:40], other.answer()[:40]}
    assert len(messages) == 4


def test_who_does_not_know_the_id_cannot_open_message_1() -> None:
    with pytest.raises(CryptoError):
        responder(2).open(initiator(0, 1).start())


# --- damage ---------------------------------------------------------------------------------------------------------


def clone(core: Initiator | Responder) -> Initiator | Responder:
    """A core in the same state, so that a sweep need not repeat the messages before."""
    again = copy.copy(core)
    noise = copy.copy(core._noise)
    noise._symmetric = copy.copy(noise._symmetric)
    noise._symmetric._cipher = copy.copy(noise._symmetric._cipher)
    noise._psks = iter(noise._keys.psks)
    again._noise = noise
    return again


def flips(message: bytes) -> Iterator[bytes]:
    damaged = bytearray(message)
    for bit in range(8 * len(message)):
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)
        damaged[bit // 8] ^= 1 << bit % 8


def truncations(message: bytes) -> Iterator[bytes]:
    return (message[:length] for length in range(len(message)))


def test_every_flip_and_truncation_of_message_1_is_refused() -> None:
    message, fresh = initiator(0, 1, credentials(1)).start(), responder(1)
    for damaged in (*flips(message), *truncations(message), message + b"\0"):
        core = clone(fresh)
        assert isinstance(core, Responder)
        with pytest.raises((CryptoError, BadFormat)):
            core.open(damaged)


def test_every_flip_and_truncation_of_message_2_is_refused() -> None:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    other.open(one.start())
    message = other.answer()
    for damaged in (*flips(message), *truncations(message), message + b"\0"):
        core = clone(one)
        assert isinstance(core, Initiator)
        with pytest.raises((CryptoError, BadFormat)):
            core.finish(damaged, now_ms=NOW_MS)
        assert not hasattr(core, "keyed")


def test_every_flip_and_truncation_of_message_3_is_refused() -> None:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    other.open(one.start())
    message = one.finish(other.answer(), now_ms=NOW_MS)
    for damaged in (*flips(message), *truncations(message), message + b"\0"):
        core = clone(other)
        assert isinstance(core, Responder)
        with pytest.raises((CryptoError, BadFormat)):
            core.finish(damaged)
        assert not hasattr(core, "keyed")


def test_messages_beyond_their_bound_are_refused_unread() -> None:
    one, other = initiator(0, 1), responder(1)
    with pytest.raises(BadFormat, match="message 1"):
        responder(1).open(bytes(HANDSHAKE_1_BYTES + 1))
    other.open(one.start())
    other.answer()
    with pytest.raises(BadFormat, match="message 2"):
        one.finish(bytes(HANDSHAKE_BYTES + 1), now_ms=NOW_MS)
    with pytest.raises(BadFormat, match="message 3"):
        other.finish(bytes(HANDSHAKE_BYTES + 1))


# --- impostors ------------------------------------------------------------------------------------------------------


def test_H029_a_low_order_ephemeral_is_refused() -> None:
    one, other = initiator(0, 1), responder(1)
    one._noise._ephemeral = _LowOrder()  # type: ignore[assignment]
    other.open(one.start())
    with pytest.raises(CryptoError, match="low order"):
        other.answer()


class _LowOrder:
    def public_key(self) -> "_LowOrder":
        return self

    def public_bytes_raw(self) -> bytes:
        return bytes(32)


def test_H030_a_reflected_identity_is_refused() -> None:
    one = Initiator(local(1), user(1), credentials(1), fresh=bytes(range(96)))
    other = responder(1)
    other.open(one.start())
    with pytest.raises(AuthFailed, match="own identity"):
        one.finish(other.answer(), now_ms=NOW_MS)


def test_H030_a_reflected_message_is_refused() -> None:
    one = initiator(0, 1)
    message = one.start()
    with pytest.raises((CryptoError, BadFormat)):
        one.finish(message, now_ms=NOW_MS)


def test_H030_the_responder_refuses_its_own_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Initiator(local(1), user(1), credentials(1), fresh=bytes(range(96))), responder(1)
    other.open(one.start())
    message2 = other.answer()
    monkeypatch.setattr(handshake, "_check_no_reflection", lambda *_: None)
    message3 = one.finish(message2, now_ms=NOW_MS)
    monkeypatch.undo()
    with pytest.raises(AuthFailed, match="own identity"):
        other.finish(message3)


def test_H033_another_identity_under_the_expected_psk_is_named() -> None:
    one = initiator(0, 1)
    other = responder(2)
    other.psk = link_psk(user(1))
    other._noise._psks = iter((other.psk,))
    other.open(one.start())
    with pytest.raises(IdentityDiffers):
        one.finish(other.answer(), now_ms=NOW_MS)


def test_H033_a_stolen_record_without_its_link_key_is_refused() -> None:
    one, other = initiator(0, 1), responder(1)
    thief = replace(local(1), link_private=local(2).link_private)
    other = Responder(thief, fresh=bytes(range(32)), encapsulate=other._noise._keys.encapsulate)  # type: ignore[arg-type]
    other.open(one.start())
    with pytest.raises(IdentityDiffers):
        one.finish(other.answer(), now_ms=NOW_MS)


def test_H033_an_initiator_without_the_listed_link_key_is_refused() -> None:
    thief = replace(local(0), link_private=local(2).link_private)
    one, other = Initiator(thief, user(1), credentials(1), fresh=bytes(range(96))), responder(1)
    shake_hands(one, other)
    with pytest.raises(IdentityDiffers):
        AskCredentials(other.claim, credentials(0), now_ms=NOW_MS)
    ask = AskCredentials(other.claim, None, now_ms=NOW_MS)
    with pytest.raises(IdentityDiffers):
        introduce(one, other, ShowCredentials(local(0)), ask)


def test_a_claim_is_proven_by_its_own_credentials_only() -> None:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(one, other)
    ask = AskCredentials(other.claim, None, now_ms=NOW_MS)
    with pytest.raises(IdentityDiffers):
        introduce(one, other, ShowCredentials(local(2)), ask)
    assert ask.proven is None


def test_H034_another_suite_or_version_ends_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "PROLOGUE", b"p2pchat/1/link\x01")
    downgraded = initiator(0, 1)
    monkeypatch.undo()
    with pytest.raises(CryptoError):
        responder(1).open(downgraded.start())
    ancient = initiator(0, 1)._noise.write(Payload1(version=0, set_hash8=bytes(8)).encode())
    with pytest.raises(BadFormat, match="version 0"):
        responder(1).open(ancient)


def test_a_later_version_falls_back_to_ours() -> None:
    newer = initiator(0, 1)._noise.write(Payload1(version=7, set_hash8=bytes(8)).encode())
    other = responder(1)
    other.open(newer)
    assert other.answer()


# --- freshness ------------------------------------------------------------------------------------------------------


def test_a_pinned_peer_with_an_expired_set_still_gets_a_link() -> None:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(one, other, now_ms=EXPIRED_MS)
    assert AskCredentials(other.claim, credentials(0), now_ms=EXPIRED_MS).proven is not None


def test_a_first_contact_with_an_expired_set_is_refused() -> None:
    one, other = initiator(0, 1), responder(1)
    with pytest.raises(ExpiredDevices, match="clock"):
        shake_hands(one, other, now_ms=EXPIRED_MS)
    one, other = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(one, other, now_ms=EXPIRED_MS)
    ask = AskCredentials(other.claim, None, now_ms=EXPIRED_MS)
    with pytest.raises(ExpiredDevices):
        introduce(one, other, ShowCredentials(local(0)), ask)


# --- introductions out of turn --------------------------------------------------------------------------------------


def objects(step: int) -> Frame:
    return Frame(FrameType.OBJECTS, Objects(step=step).encode())


def test_H022_objects_out_of_turn_are_refused() -> None:
    other = responder(1)
    shake_hands(initiator(0, 1, credentials(1)), other)
    for step in (0, 1, 3, 255):
        with pytest.raises(BadFormat):
            AskCredentials(other.claim, None, now_ms=NOW_MS).receive(objects(step))
    accepted = AskCredentials(other.claim, credentials(0), now_ms=NOW_MS)
    with pytest.raises(BadFormat):
        accepted.receive(objects(2))
    show = ShowCredentials(local(0))
    show.receive(objects(1))
    for step in (1, 2):
        with pytest.raises(BadFormat):
            show.receive(objects(step))


@pytest.mark.parametrize("kind", [FrameType.HELLO, FrameType.ENVELOPE, FrameType.REQUEST, FrameType.PING, 99])
def test_H022_no_other_frame_passes_before_authentication(kind: int) -> None:
    """Not even one whose body would be right in an OBJECTS frame."""
    other, own = responder(1), credentials(0)
    shake_hands(initiator(0, 1, credentials(1)), other)
    shown = Objects(step=2, key_log=own.chain.raw, device_set=own.devices.raw).encode()
    for body in (b"x", shown, objects(0).body, objects(1).body):
        ask = AskCredentials(other.claim, None, now_ms=NOW_MS)
        with pytest.raises(BadFormat):
            ask.receive(Frame(kind, body))
        assert ask.proven is None
        show = ShowCredentials(local(0))
        with pytest.raises(BadFormat):
            show.receive(Frame(kind, body))
        assert not show.done
