"""What a tracker derives instead of storing it: cookies, MAC keys of slots, and answers for slots that do not exist.

All follow from one secret of 32 bytes, which the front ends of one tracker share. BLAKE2s (RFC 7693) with a key is the
MAC: it takes a fraction of HMAC's time, and that is most of what a packet costs.
"""

import hmac
from hashlib import blake2b, blake2s
from typing import Final

from p2pchat.keys.kdf import hkdf
from p2pchat.wire.tracker_packets import (
    COOKIE_BYTES,
    HANDLE_BYTES,
    KEY_BYTES,
    MAC_BYTES,
    QUESTION_BYTES,
    RECORD_BYTES,
    SHORT_MAC_BYTES,
)

SECRET_BYTES: Final = 32
COOKIE_S: Final = 256  # a cookie of this span of time or the one before is right
DAY_S: Final = 24 * 3600
ADDRESS_BYTES: Final = 16  # IPv6, or IPv4 as ::ffff:a.b.c.d
_REQUEST: Final = b"request"
_ANSWER: Final = b"answer"


def mac_of_request(key: bytes, packet: bytes) -> bytes:
    """8 bytes over all of a request before its MAC."""
    return blake2s(packet, key=key, digest_size=MAC_BYTES, person=_REQUEST).digest()


def mac_of_answer(key: bytes, packet: bytes, request: bytes, length: int = SHORT_MAC_BYTES) -> bytes:
    """Over all of an answer before its MAC, and the whole request: an old answer fits no new request."""
    return blake2s(packet + request, key=key, digest_size=length, person=_ANSWER).digest()


class TrackerSecrets:
    """Derives; keeps nothing of what it derives."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == SECRET_BYTES
        self._cookies = hkdf(secret, b"p2pchat/1/tracker/cookies")
        self._slots = hkdf(secret, b"p2pchat/1/tracker/slots")
        self._misses = hkdf(secret, b"p2pchat/1/tracker/misses")

    def cookie(self, address: bytes, now_s: int) -> bytes:
        """What somebody at ``address`` (16 bytes) has to show, to prove that he gets what is sent there."""
        return self._cookie(address, now_s // COOKIE_S)

    def cookie_is_right(self, cookie: bytes, address: bytes, now_s: int) -> bool:
        span = now_s // COOKIE_S
        return hmac.compare_digest(cookie, self._cookie(address, span)) or hmac.compare_digest(
            cookie, self._cookie(address, span - 1)
        )

    def slot_key(self, handle: bytes, day: int) -> bytes:
        """The MAC key of a slot that registered on that day of the tracker's clock: 16 bytes."""
        return blake2s(handle + day.to_bytes(4), key=self._slots, digest_size=KEY_BYTES).digest()

    def key_that_made(self, mac: bytes, handle: bytes, packet: bytes, now_s: int) -> tuple[bytes, bool] | None:
        """The slot's key of today or yesterday, if ``mac`` over ``packet`` is by it, and whether it is today's."""
        assert len(handle) == HANDLE_BYTES
        today = now_s // DAY_S
        for day in (today, today - 1):
            key = self.slot_key(handle, day)
            if hmac.compare_digest(mac, mac_of_request(key, packet)):
                return key, day == today
        return None

    def no_record(self, slot: bytes, now_s: int) -> bytes:
        """What a slot without a record answers: the same for a day, like a record that nobody touches."""
        return self._filler(b"record", slot, now_s, RECORD_BYTES)

    def no_question(self, slot: bytes, now_s: int) -> bytes:
        return self._filler(b"question", slot, now_s, QUESTION_BYTES)

    def _filler(self, kind: bytes, slot: bytes, now_s: int, length: int) -> bytes:
        seed = slot + (now_s // DAY_S).to_bytes(4)
        blocks = (blake2b(bytes([n]) + seed, key=self._misses, person=kind).digest() for n in range(-(-length // 64)))
        return b"".join(blocks)[:length]

    def _cookie(self, address: bytes, span: int) -> bytes:
        return blake2s(address + span.to_bytes(6), key=self._cookies, digest_size=COOKIE_BYTES).digest()
