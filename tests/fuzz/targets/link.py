"""The handshake, from outside and from behind its encryption; records; credentials."""

from functools import cache
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.env_system import SystemCrypto
from p2pchat.limits import HANDSHAKE_BYTES
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import NO_SET, VERSION, Initiator, Responder, link_psk
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from p2pchat.link.noise import KEM_PUBLIC_BYTES
from p2pchat.link.records import BUCKETS, Opener, Sealer, _KeySchedule
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Objects, Payload1, Payload2, Payload3
from tests.fuzz.target import Target
from tests.fuzz.targets.wire import READ_BYTES
from tests.support.identities import NOW_MS
from tests.support.links import credentials, initiator, local, shake_hands, user
from tests.support.links import responder as drawing_responder

SECRET: Final = bytes(32)
PSK: Final = link_psk(user(1))


@cache
def _encapsulated() -> tuple[bytes, tuple[bytes, bytes]]:
    """The honest initiator's ML-KEM key, and what was drawn for it once: so the same message 3 fits every time."""
    kem = initiator(0, 1)._noise._kem
    assert kem is not None
    public = kem.public_key().public_bytes_raw()
    return public, SystemCrypto().kem_encapsulate(public)


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    honest, drawn = _encapsulated()
    return drawn if public == honest else SystemCrypto().kem_encapsulate(public)


def responder(index: int) -> Responder:
    return drawing_responder(index, encapsulate=encapsulate)


@cache
def _messages() -> tuple[bytes, bytes, bytes]:
    """The three messages of a first contact; they fit the cores below, whose draws are fixed."""
    one, other = initiator(0, 1), responder(1)
    first = one.start()
    other.open(first)
    second = other.answer()
    return first, second, one.finish(second, now_ms=NOW_MS)


def read_unit(data: bytes) -> None:
    """The first byte says how many bytes come at a time; the message is the same as if all came at once."""
    step = (data[0] if data else 0) + 1
    rest = data[1 : 1 + 2 * HANDSHAKE_BYTES]
    whole = UnitReader(PSK, 1, limit=HANDSHAKE_BYTES)
    message = whole.feed(rest)
    cut = UnitReader(PSK, 1, limit=HANDSHAKE_BYTES)
    got = None
    for at in range(0, min(len(rest), 64 * step), step):
        got = cut.feed(rest[at : at + step])
    if got is None:
        got = cut.feed(rest[64 * step :])
    assert got is None or got == message


def read_message1(data: bytes) -> None:
    other = responder(1)
    other.open(data)
    other.answer()


def read_message2(data: bytes) -> None:
    one = initiator(0, 1)
    one.start()
    one.finish(data, now_ms=NOW_MS)


def read_message3(data: bytes) -> None:
    other = responder(1)
    other.open(_messages()[0])
    other.answer()
    other.finish(data)


def read_payload1(data: bytes) -> None:
    other = responder(1)
    other.open(initiator(0, 1)._noise.write(data))
    other.answer()


def read_payload2(data: bytes) -> None:
    one, other = initiator(0, 1), responder(1)
    other.open(one.start())
    one.finish(other._noise.write(data), now_ms=NOW_MS)


def read_payload3(data: bytes) -> None:
    one, other = initiator(0, 1), responder(1)
    other.open(one.start())
    one._noise.read(other.answer())
    other.finish(one._noise.write(data))


class _AnyKemKey:
    """An initiator's ML-KEM key of which only the public bytes exist."""

    def __init__(self, public: bytes) -> None:
        self._public = public

    def public_key(self) -> "_AnyKemKey":
        return self

    def public_bytes_raw(self) -> bytes:
        return self._public


def read_ephemerals(data: bytes) -> None:
    """32 bytes of X25519 key and 1184 of ML-KEM key, as who knows the ID may choose them."""
    one, other = initiator(0, 1), responder(1)
    keys = data[: 32 + KEM_PUBLIC_BYTES].ljust(32 + KEM_PUBLIC_BYTES, b"\0")
    one._noise._ephemeral = _AnyKemKey(keys[:32])  # type: ignore[assignment]
    one._noise._kem = _AnyKemKey(keys[32:])  # type: ignore[assignment]
    other.open(one._noise.write(Payload1(version=VERSION, set_hash8=NO_SET).encode()))
    other.answer()


def read_record(data: bytes) -> None:
    opener = Opener(SECRET)
    opener.feed(data[:300])
    opener.feed(data[300:])


def read_record_inside(data: bytes) -> None:
    """A record whose plaintext is ``data``, sealed as the link's peer would."""
    keys = _KeySchedule(SECRET)
    size = next((size for size in BUCKETS if size >= len(data) + 18), BUCKETS[-1])
    plaintext = data[: size - 18].ljust(size - 18, b"\0")
    masked = keys.mask(size.to_bytes(2))
    assert isinstance(keys.aead, ChaCha20Poly1305)
    Opener(SECRET).feed(masked + keys.aead.encrypt(keys.next_nonce(), plaintext, masked))


@cache
def _keyed() -> tuple[Initiator, Responder]:
    one, other = initiator(0, 1, credentials(1)), responder(1)
    shake_hands(one, other)
    return one, other


def read_shown(data: bytes) -> None:
    """What the initiator shows of itself."""
    AskCredentials(_keyed()[1].claim, None, now_ms=NOW_MS).receive(Frame(FrameType.OBJECTS, data))


def read_asked(data: bytes) -> None:
    """What the responder asks of it."""
    ShowCredentials(local(0)).receive(Frame(FrameType.OBJECTS, data))


def _payload2() -> bytes:
    own = credentials(1)
    return Payload2(
        version=VERSION,
        user=own.user,
        device=local(1).device,
        head=own.chain.head,
        set_hash=own.devices.set_hash,
        key_log=own.chain.raw,
        device_set=own.devices.raw,
    ).encode()


def _payload3() -> bytes:
    own = credentials(0)
    return Payload3(user=own.user, device=local(0).device, head=own.chain.head, set_hash=own.devices.set_hash).encode()


def _shown() -> tuple[bytes, ...]:
    own = credentials(0)
    return (Objects(step=2, key_log=own.chain.raw, device_set=own.devices.raw).encode(),)


def _asked() -> tuple[bytes, ...]:
    return (Objects(step=0).encode(), Objects(step=1).encode())


def _records() -> tuple[bytes, ...]:
    frames = [Frame(FrameType.ENVELOPE, b"x" * 300), Frame(FrameType.PING, bytes(12))]
    return (Sealer(SECRET, now_s=0.0).seal(frames, now_s=0.0), Sealer(SECRET, now_s=0.0).seal(frames, now_s=3600.0))


def _plaintexts() -> tuple[bytes, ...]:
    content = Frame(FrameType.ENVELOPE, b"x" * 100).encode()
    length = len(content).to_bytes(2)
    return (b"\x00" + length + content, b"\x01" + length + content, b"\x00\x00\x01S", b"\x02" + length + content)


def _kem_keys() -> tuple[bytes, ...]:
    return (bytes(range(32)) + credentials(1).devices.records[0].box_mlkem768, bytes(32 + KEM_PUBLIC_BYTES))


TARGETS: Final = (
    Target("unit", read_unit, lambda: (b"\x10" + wrap(_messages()[0], PSK, 1),)),
    Target("message-1", read_message1, lambda: (_messages()[0],)),
    Target("message-2", read_message2, lambda: (_messages()[1],)),
    Target("message-3", read_message3, lambda: (_messages()[2],)),
    Target("payload-1", read_payload1, lambda: (Payload1(version=VERSION, set_hash8=NO_SET).encode(),)),
    Target("payload-2", read_payload2, lambda: (_payload2(),)),
    Target("payload-3", read_payload3, lambda: (_payload3(),)),
    Target("ephemerals", read_ephemerals, _kem_keys),
    Target("record", read_record, _records, once=READ_BYTES),
    Target("record-inside", read_record_inside, _plaintexts),
    Target("objects-shown", read_shown, _shown),
    Target("objects-asked", read_asked, _asked),
)
