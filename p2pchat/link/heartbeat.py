"""Noticing that the other end has gone: a ping every 20-40 s, an answer within 15 s (DESIGN 6). Pure.

Whatever arrives counts as a sign of life. The monotonic clock stands still while a computer sleeps and CLOCK_BOOTTIME
does not: where they part, the link is asked at once whether it survived.
"""

from enum import Enum
from typing import Final

from p2pchat.limits import HEARTBEAT_S

ANSWER_S: Final = 15.0
PROBE_ANSWER_S: Final = 5.0  # after a sleep, or when a second link of the same pair casts doubt on this one
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

    @property
    def due_s(self) -> float:
        """When to call ``tick`` next."""
        return self._ping_due_s if self._answer_due_s is None else min(self._ping_due_s, self._answer_due_s)

    def tick(self, *, now_s: float, draw: float) -> Beat:
        if self._answer_due_s is not None and now_s >= self._answer_due_s:
            return Beat.DEAD
        if now_s < self._ping_due_s:
            return Beat.WAIT
        self._ping_due_s = now_s + _interval_s(draw)
        if self._answer_due_s is None:
            self._answer_due_s = now_s + ANSWER_S
        return Beat.PING

    def heard(self) -> None:
        """Something arrived."""
        self._answer_due_s = None

    def probe(self, now_s: float) -> None:
        """Doubt: the next ``tick`` pings, and the answer is due soon."""
        self._ping_due_s = now_s
        self._answer_due_s = min(self._answer_due_s or now_s + PROBE_ANSWER_S, now_s + PROBE_ANSWER_S)


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
