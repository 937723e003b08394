"""One person's dealings with a tracker, packet by packet."""

from dataclasses import dataclass, field
from hashlib import sha256, shake_256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.keys.blinding import BlindedKey
from p2pchat.keys.kdf import hkdf
from p2pchat.tracker.governor import Governor
from p2pchat.tracker.limits import Neighbourhoods
from p2pchat.tracker.secrets import DAY_S, TrackerSecrets, mac_of_answer, mac_of_request
from p2pchat.tracker.service import KEY_INFO, Service, Source, slot_of
from p2pchat.tracker.table import Table
from p2pchat.tracker.work import HOUR_S, find_counter
from p2pchat.wire import tracker_packets as packets
from p2pchat.wire.tracker_packets import Packet, decode
from tests.support.identities import stored_identity

NOW_S = 1_800_000_000
HOME = Source(bytes(10) + b"\xff\xff\xc0\x00\x02\x07", 4000)


def service(*, rows: int = 1000, letters: int = 200, secret: bytes = bytes(32), factor: float = 1.0) -> Service:
    return Service(
        TrackerSecrets(secret),
        X25519PrivateKey.from_private_bytes(bytes(range(32))),
        Table(rows, letters),
        Governor(375_000, NOW_S),
        Neighbourhoods(bytes(32), factor),
    )


def fresh(name: str, length: int) -> bytes:
    return shake_256(name.encode()).digest(length)


@dataclass
class Person:
    """The owner of a stored ID's slot, or somebody who asks."""

    at: Service
    index: int = 0
    source: Source = HOME
    now_s: int = NOW_S
    key: bytes = b""
    sequence: int = 0
    seen: tuple[bytes, int] | None = None  # the address that the tracker saw
    answered: list[Packet] = field(default_factory=list)

    @property
    def blinded(self) -> BlindedKey:
        return BlindedKey.of(stored_identity(self.index).scalar, self.now_s // DAY_S)

    @property
    def slot(self) -> bytes:
        return slot_of(self.blinded.public)

    def ask(self, raw: bytes) -> Packet | None:
        """Raw, so that a test may spoil it."""
        answer = self.at.handle(raw, self.source, self.now_s)
        assert answer is None or len(answer) <= len(raw)
        if answer is None:
            return None
        self.answered.append(decode(answer))
        return self.answered[-1]

    def cookie(self) -> bytes:
        return self.at.secrets.cookie(self.source.address, self.now_s)

    def register_packet(self, name: str = "ephemeral", tracker: bytes | None = None) -> packets.Register:
        ephemeral = X25519PrivateKey.from_private_bytes(fresh(name, 32)).public_key().public_bytes_raw()
        signed = packets.Register.signed_part(self.at.public if tracker is None else tracker, ephemeral)
        return packets.Register(
            cookie=self.cookie(),
            day=self.blinded.day,
            key=self.blinded.public,
            ephemeral=ephemeral,
            signature=self.blinded.sign(signed, fresh("nonce", 32)),
        )

    def register(self, name: str = "ephemeral") -> packets.Registered:
        raw = self.register_packet(name).encode()
        answer = self.ask(raw)
        assert isinstance(answer, packets.Registered)
        shared = X25519PrivateKey.from_private_bytes(fresh(name, 32)).exchange(
            X25519PublicKey.from_public_bytes(self.at.public)
        )
        sealing = hkdf(shared, KEY_INFO + sha256(raw).digest())
        told = ChaCha20Poly1305(sealing).decrypt(bytes(12), answer.sealed, None)
        self.key, self.seen = told[:16], (told[16:32], int.from_bytes(told[32:]))
        return answer

    def _authenticated(self, packet: Packet, mac_bytes: int = 6) -> Packet | None:
        raw = self.signed(packet)
        answer = self.at.handle(raw, self.source, self.now_s)
        if answer is None or len(answer) in {packets.Cookie.size(), packets.Trouble.size()} - {9}:
            return None
        if answer[0] == packets.first_byte(packets.Type.COOKIE, answer=True):
            return decode(answer)
        assert len(answer) <= len(raw)
        assert mac_of_answer(self.key, answer[:-mac_bytes], raw, mac_bytes) == answer[-mac_bytes:]
        return decode(answer)

    def signed(self, packet: Packet) -> bytes:
        """With the MAC where its zeros stand."""
        raw = packet.encode()
        end = len(raw) - packet.PADDING
        return raw[: end - 8] + mac_of_request(self.key, raw[: end - 8]) + raw[end:]

    def announce(self, record: bytes, *, sequence: int | None = None) -> Packet | None:
        self.sequence = self.sequence + 1 if sequence is None else sequence
        return self._authenticated(
            packets.Announce(cookie=self.cookie(), slot=self.slot, sequence=self.sequence, record=record, mac=bytes(8))
        )

    def question(self, record: bytes) -> Packet | None:
        self.sequence += 1
        return self._authenticated(
            packets.Question(cookie=self.cookie(), slot=self.slot, sequence=self.sequence, record=record, mac=bytes(8))
        )

    def refresh(self, *, sequence: int | None = None) -> Packet | None:
        self.sequence = self.sequence + 1 if sequence is None else sequence
        return self._authenticated(packets.Refresh(handle=self.slot[:8], sequence=self.sequence, mac=bytes(8)))

    def leave(self) -> None:
        self.sequence += 1
        packet = packets.Leave(handle=self.slot[:8], sequence=self.sequence, mac=bytes(8))
        assert self.ask(self.signed(packet)) is None

    def fetch(self, done: bytes = bytes(8)) -> packets.Fetched:
        packet = packets.Fetch(handle=self.slot[:8], sequence=0, done=done, mac=bytes(8))
        answer = self._authenticated(packet, mac_bytes=8)
        assert isinstance(answer, packets.Fetched)
        return answer

    def query(self, slot: bytes) -> bytes:
        answer = self.ask(packets.Query(number=bytes(8), slot=slot).encode())
        assert isinstance(answer, packets.Found)
        return answer.record

    def mail(self, slot: bytes, letter: bytes, *, bits: int = 20, hour: int | None = None) -> packets.Mailed:
        at = self.now_s // HOUR_S if hour is None else hour
        counter = find_counter(slot, at, letter, bits, tries=1 << (bits + 6))
        assert counter is not None
        packet = packets.Mail(cookie=self.cookie(), slot=slot, hour=at, counter=counter, letter=letter)
        answer = self.ask(packet.encode())
        assert isinstance(answer, packets.Mailed)
        return answer
