"""What a tracker answers: a packet and its sender in, at most one shorter packet out. Pure (protocol.md 18.2).

Everything cheap is checked first, and nothing is kept of a packet that is not right. Packets that are taken apart by
the thousand a second are taken apart by hand; the classes of ``wire/tracker_packets`` say what their fields are.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.errors import P2PChatError
from p2pchat.keys import blinding
from p2pchat.keys.kdf import hkdf
from p2pchat.tracker.governor import Governor
from p2pchat.tracker.limits import Neighbourhoods
from p2pchat.tracker.secrets import DAY_S, TrackerSecrets, mac_of_answer
from p2pchat.tracker.table import QUESTION_S, RECORD_S, Table, Written, letter_id
from p2pchat.tracker.work import HOUR_S, bits_demanded, bits_of
from p2pchat.wire.tracker_packets import (
    HANDLE_BYTES,
    MAC_BYTES,
    MAIL_BYTES,
    SLOT_BYTES,
    Announce,
    Ask,
    Cookie,
    Fetch,
    Flags,
    Leave,
    Mail,
    Mailed,
    Packet,
    Problem,
    Query,
    Question,
    Refresh,
    Register,
    Registered,
    Trouble,
    Type,
    first_byte,
    refresh_s,
)

SLOT_LABEL: Final = b"p2pchat/1/slot"
SLOT_S: Final = 36 * 3600
KEY_INFO: Final = b"p2pchat/1/tracker/key"
_NONCE: Final = bytes(12)  # each key seals once


@dataclass(frozen=True, slots=True)
class Source:
    """Where a packet comes from."""

    address: bytes  # 16
    port: int


def slot_of(key: bytes) -> bytes:
    """The slot whose key of the day that is: 16 bytes. Nobody can take it who lacks the key."""
    return sha256(SLOT_LABEL + key).digest()[:SLOT_BYTES]


@dataclass(slots=True)
class Service:
    secrets: TrackerSecrets
    private: X25519PrivateKey
    table: Table
    governor: Governor
    neighbourhoods: Neighbourhoods
    counts: Counter[str] = field(default_factory=Counter)  # of what happened; of nobody
    public: bytes = b""
    _handlers: dict[int, tuple[int, Callable[[bytes, Source, int], bytes | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.public = self.private.public_key().public_bytes_raw()
        handlers: dict[type[Packet], Callable[[bytes, Source, int], bytes | None]] = {
            Register: self._register,
            Announce: self._announce,
            Refresh: self._refresh,
            Leave: self._leave,
            Query: self._query,
            Mail: self._mail,
            Fetch: self._fetch,
            Question: self._announce,
            Ask: self._query,
        }
        self._handlers = {first_byte(kind.KIND): (kind.size(), handler) for kind, handler in handlers.items()}

    def handle(self, packet: bytes, source: Source, now_s: int) -> bytes | None:
        """The answer, or None for what deserves none. Never raises for what ``packet`` holds."""
        size, handler = self._handlers.get(packet[0] if packet else 0, (0, None))
        if handler is None or len(packet) != size:
            self.counts["no packet"] += 1
            return None
        return handler(packet, source, now_s)

    # --- the slot's owner ---------------------------------------------------------------------------------------------

    def _register(self, packet: bytes, source: Source, now_s: int) -> bytes:
        if not self.secrets.cookie_is_right(packet[1:9], source.address, now_s):
            return self._cookie(source, now_s)
        if not self.neighbourhoods.may_register(source.address, now_s):
            return self._trouble(Type.REGISTER, Problem.BUSY, now_s)
        asked = Register.decode(packet)
        today = now_s // DAY_S
        if not today - 1 <= asked.day <= today + 2:  # days begin up to a day early, and clocks differ
            return self._trouble(Type.REGISTER, Problem.DAY, now_s)
        try:
            blinding.verify(asked.key, asked.day, Register.signed_part(self.public, asked.ephemeral), asked.signature)
            shared = self.private.exchange(X25519PublicKey.from_public_bytes(asked.ephemeral))
        except (P2PChatError, ValueError):
            return self._trouble(Type.REGISTER, Problem.SIGNATURE, now_s)
        handle = slot_of(asked.key)[:HANDLE_BYTES]
        told = self.secrets.slot_key(handle, today) + source.address + source.port.to_bytes(2)
        sealing = hkdf(shared, KEY_INFO + sha256(packet).digest())
        self.counts["registered"] += 1
        sealed = ChaCha20Poly1305(sealing).encrypt(_NONCE, told, None)
        flags = Flags.MAIL if self.table.waiting(handle, now_s) else Flags.NONE
        return Registered(flags=flags, refresh=self.governor.refresh, sealed=sealed).encode()

    def _announce(self, packet: bytes, source: Source, now_s: int) -> bytes | None:
        """Also a question: both are a slot's content of one size."""
        if not self.secrets.cookie_is_right(packet[1:9], source.address, now_s):
            return self._cookie(source, now_s)
        slot, sequence, content = packet[9:25], int.from_bytes(packet[25:29]), packet[29:-MAC_BYTES]
        handle = slot[:HANDLE_BYTES]
        made_by = self.secrets.key_that_made(packet[-MAC_BYTES:], handle, packet[:-MAC_BYTES], now_s)
        if made_by is None:
            self.counts["wrong MAC"] += 1
            return None
        record = packet[0] == first_byte(Type.ANNOUNCE)
        name, life_s = ("records", self._record_s()) if record else ("questions", QUESTION_S)
        written = self.table.write(name, slot, sequence, content, now_s + life_s, now_s)
        self.counts[f"{name} {written.value}"] += 1
        if written in {Written.OLD, Written.OTHER}:
            return None
        key, todays = made_by
        flags = self._flags(handle, todays, now_s) | (Flags.FULL if written is Written.FULL else 0)
        head = bytes([packet[0] | 0x80]) + packet[25:29] + bytes([flags, self.governor.refresh])
        return head + mac_of_answer(key, head, packet)

    def _refresh(self, packet: bytes, _source: Source, now_s: int) -> bytes | None:
        handle, sequence = packet[1:9], int.from_bytes(packet[9:13])
        made_by = self.secrets.key_that_made(packet[13:], handle, packet[:13], now_s)
        if made_by is None:
            self.counts["wrong MAC"] += 1
            return None
        written = self.table.refresh(handle, sequence, now_s + self._record_s(), now_s)
        if written is Written.OLD:
            return None
        key, todays = made_by
        flags = self._flags(handle, todays, now_s) | (Flags.UNKNOWN if written is Written.OTHER else 0)
        head = bytes([packet[0] | 0x80, flags, self.governor.refresh])
        self.counts["refreshed"] += 1
        return head + mac_of_answer(key, head, packet)

    def _leave(self, packet: bytes, _source: Source, now_s: int) -> None:
        handle, sequence = packet[1:9], int.from_bytes(packet[9:13])
        if self.secrets.key_that_made(packet[13:], handle, packet[:13], now_s) is None:
            self.counts["wrong MAC"] += 1
            return
        self.table.leave(handle, sequence, now_s)
        self.counts["left"] += 1

    def _fetch(self, packet: bytes, _source: Source, now_s: int) -> bytes | None:
        asked = Fetch.decode(packet)
        end = 1 + Fetch.FORM.size - MAC_BYTES
        made_by = self.secrets.key_that_made(asked.mac, asked.handle, packet[:end], now_s)
        if made_by is None:
            self.counts["wrong MAC"] += 1
            return None
        count, letter = self.table.fetch(asked.handle, asked.done, now_s)
        head = bytes([packet[0] | 0x80, min(count, 255), self.governor.refresh]) + (letter or bytes(MAIL_BYTES))
        self.counts["fetched"] += 1
        return head + mac_of_answer(made_by[0], head, packet, MAC_BYTES)

    # --- everybody ----------------------------------------------------------------------------------------------------

    def _query(self, packet: bytes, source: Source, now_s: int) -> bytes:
        """Also for a question. A miss looks like a hit, and costs as much."""
        if not self.neighbourhoods.may_query(source.address, now_s):
            return self._trouble(Type(packet[0] & 0x0F), Problem.BUSY, now_s)
        slot = packet[9:25]
        if packet[0] == first_byte(Type.QUERY):
            content, missing = self.table.read("records", slot, now_s), self.secrets.no_record(slot, now_s)
        else:
            content, missing = self.table.read("questions", slot, now_s), self.secrets.no_question(slot, now_s)
        self.counts["queried"] += 1
        return bytes([packet[0] | 0x80]) + packet[1:9] + (content or missing)

    def _mail(self, packet: bytes, source: Source, now_s: int) -> bytes:
        if not self.secrets.cookie_is_right(packet[1:9], source.address, now_s):
            return self._cookie(source, now_s)
        asked = Mail.decode(packet)
        waiting = self.table.waiting(asked.slot[:HANDLE_BYTES], now_s)
        demanded = bits_demanded(self.table.count_of_letters, self.table.most_letters, waiting)
        hour = now_s // HOUR_S
        flags = Flags.NONE
        if (
            hour - 1 <= asked.hour <= hour + 1
            and bits_of(asked.slot, asked.hour, asked.letter, asked.counter) >= demanded
        ):
            written = self.table.put_letter(asked.slot, asked.letter, now_s)
            flags = Flags.FULL if written is Written.FULL else Flags.TAKEN
            self.counts[f"letters {written.value}"] += 1
            demanded = bits_demanded(self.table.count_of_letters, self.table.most_letters, waiting + 1)
        return Mailed(flags=flags, bits=demanded, letter=letter_id(asked.letter)).encode()

    # --- words --------------------------------------------------------------------------------------------------------

    def _record_s(self) -> int:
        """A record outlives a refresh that is lost, but not its slot's day by much."""
        return min(max(RECORD_S, 7 * refresh_s(self.governor.refresh) // 2), SLOT_S)

    def _flags(self, handle: bytes, todays: bool, now_s: int) -> int:
        flags = Flags.NONE if todays else Flags.REGISTER
        return flags | (Flags.MAIL if self.table.waiting(handle, now_s) else 0)

    def _cookie(self, source: Source, now_s: int) -> bytes:
        self.counts["cookies"] += 1
        return Cookie(cookie=self.secrets.cookie(source.address, now_s)).encode()

    def _trouble(self, about: Type, problem: Problem, now_s: int) -> bytes:
        self.counts[f"refused: {problem.name.lower()}"] += 1
        return Trouble(about=about, problem=problem, now_s=now_s).encode()
