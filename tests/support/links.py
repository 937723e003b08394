"""Two ends of a link out of stored identities."""

from functools import cache
from hashlib import shake_256

from p2pchat.env_system import SystemCrypto
from p2pchat.ids import DeviceId, UserId
from p2pchat.link.credentials import Credentials, Local
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, RESPONDER_FRESH_BYTES, Initiator, Responder
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from p2pchat.link.noise import Encapsulate
from tests.support.identities import NOW_MS, stored_secrets


@cache
def local(index: int, now_ms: int = NOW_MS) -> Local:
    vault, gate = stored_secrets(index, now_ms)
    return Local.read(vault.key_log, vault.device_set, vault.device, gate.link_x25519)


@cache
def credentials(index: int, now_ms: int = NOW_MS) -> Credentials:
    vault, _ = stored_secrets(index, now_ms)
    return Credentials.verify(vault.key_log, vault.device_set)


def user(index: int) -> UserId:
    return credentials(index).user


def device(index: int) -> DeviceId:
    return local(index).device


def fresh(name: str, length: int) -> bytes:
    return shake_256(name.encode()).digest(length)


def initiator(index: int, peer: int, held: Credentials | None = None, *, name: str = "initiator") -> Initiator:
    return Initiator(local(index), user(peer), held, fresh=fresh(name, INITIATOR_FRESH_BYTES))


def responder(index: int, *, name: str = "responder", encapsulate: Encapsulate | None = None) -> Responder:
    return Responder(
        local(index),
        fresh=fresh(name, RESPONDER_FRESH_BYTES),
        encapsulate=encapsulate or SystemCrypto().kem_encapsulate,
    )


def shake_hands(one: Initiator, other: Responder, *, now_ms: int = NOW_MS) -> None:
    """Messages 1 to 3."""
    other.open(one.start())
    other.finish(one.finish(other.answer(), now_ms=now_ms))


def introduce(one: Initiator, other: Responder, show: ShowCredentials, ask: AskCredentials) -> int:
    """OBJECTS until both are done; the number of frames."""
    count = 0
    frames = ask.start()
    while frames:
        count += len(frames)
        answers = [answer for frame in frames for answer in show.receive(frame)]
        count += len(answers)
        frames = [frame for answer in answers for frame in ask.receive(answer)]
    return count
