"""What the two say of themselves inside the handshake, each lie alone: everything beside it is true and fits."""

from dataclasses import replace

import pytest

from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.ids import DeviceId
from p2pchat.link.credentials import Credentials, IdentityDiffers
from p2pchat.link.handshake import VERSION, Responder
from p2pchat.link.introduction import AskCredentials
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Objects, Payload2, Payload3
from tests.support.identities import NOW_MS
from tests.support.links import credentials, device, initiator, local, responder, shake_hands, user


def truth(index: int) -> Payload2:
    own = credentials(index)
    return Payload2(
        version=VERSION,
        user=own.user,
        device=device(index),
        head=own.chain.head,
        set_hash=own.devices.set_hash,
        key_log=own.chain.raw,
        device_set=own.devices.raw,
    )


def answer(payload: Payload2, held: Credentials | None, *, link_key_of: int = 1) -> None:
    """Ann dials Ben and hears ``payload`` from whoever holds that link key and knows Ben's ID."""
    ann, ben = initiator(0, 1, held), responder(1)
    other = Responder(
        replace(local(1), link_private=local(link_key_of).link_private),
        fresh=bytes(range(32)),
        encapsulate=ben._noise._keys.encapsulate,  # type: ignore[arg-type]
    )
    other.open(ann.start())
    message2 = other._noise.write(payload.encode())
    try:
        ann.finish(message2, now_ms=NOW_MS)
    finally:
        assert not hasattr(ann, "keyed") or payload == truth(1)


@pytest.mark.parametrize("held", [None, 1])
def test_the_truth_is_believed(held: int | None) -> None:
    answer(truth(1), credentials(held) if held else None)


@pytest.mark.parametrize("held", [None, 1], ids=["first contact", "pinned"])
@pytest.mark.parametrize(
    ("lie", "error", "words"),
    [
        ({"user": user(2)}, IdentityDiffers, "is somebody else"),
        ({"device": DeviceId(bytes(16))}, IdentityDiffers, "no device of this identity"),
        ({"head": bytes(32)}, BadFormat, "their hashes name"),
        ({"set_hash": bytes(32)}, BadFormat, "their hashes name"),
        ({"version": VERSION + 1}, BadFormat, "was not offered"),
        ({"version": 0}, BadFormat, "was not offered"),
    ],
    ids=str,
)
def test_each_lie_of_a_responder_is_found(
    lie: dict[str, object], error: type[P2PChatError], words: str, held: int | None
) -> None:
    with pytest.raises(error, match=words):
        answer(replace(truth(1), **lie), credentials(held) if held else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("held", [None, 1], ids=["first contact", "pinned"])
def test_somebody_else_s_whole_truth_under_the_right_name_is_found(held: int | None) -> None:
    """Carl answers with his own keys, log and set, which fit each other, and says that he is Ben."""
    with pytest.raises(IdentityDiffers, match="somebody else's keys"):
        answer(replace(truth(2), user=user(1)), credentials(held) if held else None, link_key_of=2)


def test_each_lie_of_an_initiator_is_found() -> None:
    ann, ben = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(ann, ben)
    own, carl = credentials(0), credentials(2)
    shown = Frame(FrameType.OBJECTS, Objects(step=2, key_log=own.chain.raw, device_set=own.devices.raw).encode())
    lies = (
        ({"user": carl.user}, IdentityDiffers, "somebody else's keys"),
        ({"head": bytes(32)}, BadFormat, "their hashes name"),
        ({"set_hash": bytes(32)}, BadFormat, "their hashes name"),
        ({"device": DeviceId(bytes(16))}, IdentityDiffers, "no device of this identity"),
        ({"link_x25519": bytes(32)}, IdentityDiffers, "no device of this identity"),
    )
    for lie, error, words in lies:
        ask = AskCredentials(replace(ben.claim, **lie), None, now_ms=NOW_MS)  # type: ignore[arg-type]
        with pytest.raises(error, match=words):
            ask.receive(shown)
        assert ask.proven is None
    truthful = AskCredentials(ben.claim, None, now_ms=NOW_MS)
    truthful.receive(shown)
    assert truthful.proven is not None


def test_a_claim_of_the_responder_s_own_id_and_device_is_a_reflection() -> None:
    ann, ben = initiator(0, 1, credentials(1)), responder(1)
    ben.open(ann.start())
    ann._noise.read(ben.answer())
    own = credentials(1)
    claim = Payload3(user=own.user, device=device(1), head=own.chain.head, set_hash=own.devices.set_hash)
    with pytest.raises(P2PChatError, match="own identity"):
        ben.finish(ann._noise.write(claim.encode()))
    assert not hasattr(ben, "claim")
