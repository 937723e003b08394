"""The knock: how a dialler shows, inside an ordinary WebSocket request, that it knows the ID it dials. Pure.

    Sec-WebSocket-Key = base64(nonce (8) | first 8 bytes of HMAC(key, nonce | hour (4)))
    key = HKDF(ikm = Q of the responder, info = "p2pchat/1/knock"), hour = hours since 1970

To everybody else the 16 bytes are as random as RFC 6455 wants them. A knock opens the door to the handshake and to
nothing else; whoever knows the ID can make one.
"""

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from p2pchat.ids import UserId
from p2pchat.keys.kdf import hkdf

NONCE_BYTES: Final = 8
KNOCK_BYTES: Final = 16  # what RFC 6455 gives a Sec-WebSocket-Key
WINDOW_HOURS: Final = 24  # how far two clocks may differ
REMEMBERED_KNOCKS: Final = 16_384
HOUR_MS: Final = 3_600_000
_LABEL: Final = b"p2pchat/1/knock"


def knock_key(responder: UserId) -> bytes:
    """32 bytes that who knows the ID knows."""
    return hkdf(responder, _LABEL)


def knock(key: bytes, nonce: bytes, hour: int) -> bytes:
    """The 16 bytes of a Sec-WebSocket-Key; ``nonce`` is 8 random bytes."""
    return nonce + _mac(key, nonce, hour)


def opens(key: bytes, shown: bytes, hour: int) -> bool:
    """Whether ``shown`` is a knock of an hour that is at most 24 away from ``hour``."""
    nonce, mac = shown[:NONCE_BYTES], shown[NONCE_BYTES:]
    hours = range(max(0, hour - WINDOW_HOURS), hour + WINDOW_HOURS + 1)
    return sum(hmac.compare_digest(mac, _mac(key, nonce, each)) for each in hours) > 0  # each is looked at


def _mac(key: bytes, nonce: bytes, hour: int) -> bytes:
    return hmac.digest(key, nonce + hour.to_bytes(4), "sha256")[: KNOCK_BYTES - NONCE_BYTES]


class UsedKnocks:
    """The nonces of valid knocks, the latest 16384: each counts once, over restarts too (``take_changes``).

    They are forgotten by number, never by time: a clock that leaps and comes back makes none of them new again. Who
    does not know the ID cannot get one in here.
    """

    def __init__(self, nonces: Iterable[bytes] = (), *, remembered: int = REMEMBERED_KNOCKS) -> None:
        """``nonces``: those of earlier runs, the oldest first."""
        self._remembered = remembered
        self._used: OrderedDict[bytes, None] = OrderedDict.fromkeys(nonces)
        self._changed: list[bytes] = []

    def use(self, shown: bytes) -> bool:
        """Take a valid knock; False where its nonce has been used before."""
        nonce = shown[:NONCE_BYTES]
        if nonce in self._used:
            return False
        self._used[nonce] = None
        self._changed.append(nonce)
        while len(self._used) > self._remembered:
            self._used.popitem(last=False)
        return True

    def take_changes(self) -> list[bytes]:
        """Nonces since the last call, in order."""
        changed, self._changed = self._changed, []
        return changed

    def put_back(self, nonces: list[bytes]) -> None:
        """Writing them failed: they are to be handed out again, of which the latest 16384 are enough."""
        self._changed = [*nonces, *self._changed][-self._remembered :]
