"""Noticing that the other end has gone: a ping every 20-40 s, an answer within 15 s (protocol.md 7). Pure.

Whatever arrives counts as a sign of life. But a peer that talks and never reads must not keep its link: of its PONGs,
each of which repeats what one PING said, the next one comes within 5 min. The monotonic clock stands still while a
computer sleeps and CLOCK_BOOTTIME does not: where they part, the link is asked at once whether it survived.
"""

from collections import deque
from enum import Enum
from typing import Final

from p2pchat.errors import BadFormat
from p2pchat.limits import HEARTBEAT_S

ANSWER_S: Final = 15.0
PROBE_ANSWER_S: Final = 5.0  # after a sleep, or when a second link of the same pair casts doubt on this one
PAUSED_S: Final = 4.0  # while we do not read, the peer hears from us before it takes us for dead
UNREAD_S: Final = 300.0  # so long may a PING wait behind what the peer has yet to read
UNANSWERED: Final = 32  # PINGs under way; their PONGs may come all at once, within the peer's and our own quota
SLEPT_S: Final = 2.0  # the two clocks part by more than this: the computer was suspended


class Beat(Enum):
    WAIT = "wait"
    PING = "ping"
    DEAD = "dead"


class Heartbeat:
    """``draw`` is uniform in [0, 1); ``now_s`` is monotonic."""

    def __init__(self, *, now_s: float, draw: float) -> None:
        self._ping_due_s = now_s + _interval_s(draw)
        self._answer_due_s: float | None = None
        self._asked: deque[bytes] = deque()
        self._pong_due_s: float | None = None  # as long as a PING is under way

    @property
    def due_s(self) -> float:
        """When to call ``tick`` next."""
        return min(due for due in (self._ping_due_s, self._answer_due_s, self._pong_due_s) if due is not None)

    def tick(self, *, now_s: float, draw: float, paused: bool = False) -> Beat:
        """What to do now. ``paused``: we do not read, so silence proves nothing and the peer must hear from us.

        After PING the caller says ``asked``.
        """
        if paused:
            self._excuse(now_s)
        if any(due is not None and now_s >= due for due in (self._answer_due_s, self._pong_due_s)):
            return Beat.DEAD
        if now_s < self._ping_due_s:
            return Beat.WAIT
        self._ping_due_s = now_s + (PAUSED_S if paused else _interval_s(draw))
        if len(self._asked) >= UNANSWERED:
            return Beat.WAIT
        if self._answer_due_s is None and not paused:
            self._answer_due_s = now_s + ANSWER_S
        return Beat.PING

    def asked(self, nonce: bytes, now_s: float) -> None:
        """A PING with this nonce goes out."""
        self._asked.append(nonce)
        if self._pong_due_s is None:
            self._pong_due_s = now_s + UNREAD_S

    def answered(self, nonce: bytes, now_s: float) -> None:
        """A PONG came. Raises BadFormat where it does not answer the oldest PING under way."""
        if not self._asked or self._asked.popleft() != nonce:
            raise BadFormat("a PONG answers no PING")
        self._pong_due_s = now_s + UNREAD_S if self._asked else None

    def heard(self) -> None:
        """Something arrived."""
        self._answer_due_s = None

    def probe(self, now_s: float) -> None:
        """Doubt: the next ``tick`` pings, and the answer is due soon."""
        self._ping_due_s = now_s
        self._answer_due_s = min(self._answer_due_s or now_s + PROBE_ANSWER_S, now_s + PROBE_ANSWER_S)

    def _excuse(self, now_s: float) -> None:
        self._ping_due_s = min(self._ping_due_s, now_s + PAUSED_S)
        self._answer_due_s = None
        self._pong_due_s = now_s + UNREAD_S if self._asked else None


class SleepDetector:
    """Tells whether the computer slept between two looks."""

    def __init__(self, *, now_s: float, boot_s: float) -> None:
        self._apart_s = boot_s - now_s

    def slept(self, *, now_s: float, boot_s: float) -> bool:
        before, self._apart_s = self._apart_s, boot_s - now_s
        return self._apart_s - before > SLEPT_S


def _interval_s(draw: float) -> float:
    shortest, longest = HEARTBEAT_S
    return shortest + (longest - shortest) * draw
