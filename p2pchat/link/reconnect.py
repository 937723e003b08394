"""When to dial again: the back-off of one peer, and the breaker behind it. Pure."""

from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 30.0
SPREAD: Final = 0.25  # each delay is drawn from +-25 %, so that many peers never dial in step
OPEN_AFTER: Final = 10  # failures; from then on only half-open probes
PROBE_S: Final = (300.0, 900.0)
STEADY_S: Final = 60.0  # a link that held this long ended by accident, not by refusal
NEWS_GAP_S: Final = 1.0  # news hastens a try, but no faster than this


class Reconnect:
    """Delays of 1, 2, 4 ... 30 s, then a probe every 5-15 min. ``draw`` is uniform in [0, 1)."""

    def __init__(self) -> None:
        self._failures = 0
        self._due_s = 0.0
        self._tried_s = -NEWS_GAP_S

    @property
    def probing(self) -> bool:
        """Whether the breaker is open: one try at long intervals."""
        return self._failures >= OPEN_AFTER

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next try is due; 0 = now."""
        return max(0.0, self._due_s - now_s)

    def trying(self, now_s: float) -> None:
        self._tried_s = now_s

    def failed(self, now_s: float, draw: float) -> None:
        """A try failed, or a link ended soon."""
        self._failures += 1
        if self.probing:
            shortest, longest = PROBE_S
            delay_s = shortest + (longest - shortest) * draw
        else:
            base_s = min(LONGEST_S, FIRST_S * 2 ** (self._failures - 1))
            delay_s = base_s * (1 - SPREAD + 2 * SPREAD * draw)
        self._due_s = now_s + delay_s

    def ended(self, now_s: float, *, held_s: float, draw: float) -> None:
        """A link that had stood for ``held_s`` ended: begin anew if it was a steady one."""
        if held_s >= STEADY_S:
            self._failures = 0
        self.failed(now_s, draw)

    def told_to_wait(self, now_s: float, draw: float) -> None:
        """The peer closed on purpose (idle, not wanted): probe, rather than knock every second."""
        self._failures = max(self._failures, OPEN_AFTER - 1)
        self.failed(now_s, draw)

    def news(self, now_s: float) -> None:
        """A new address, presence, the user's wish, a woken computer: try at once."""
        self._due_s = min(self._due_s, max(now_s, self._tried_s + NEWS_GAP_S))
