"""How long to wait before vault and gate start again, and when to give up (docs/architecture.md)."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

AFTER_READY_S: Final = 0.1
EARLY_DELAYS_S: Final = (0.1, 1.0, 5.0, 30.0)
EARLY_ENDS: Final = 5
WINDOW_S: Final = 60.0


@dataclass(slots=True)
class Backoff:
    """Ends before ready wait longer each time; the fifth within a minute is the last."""

    early_delays_s: tuple[float, ...] = EARLY_DELAYS_S
    _early: deque[float] = field(default_factory=lambda: deque(maxlen=EARLY_ENDS))  # when, monotonic seconds
    _row: int = 0  # early ends since something was last ready

    def after_end(self, *, was_ready: bool, now_s: float) -> float | None:
        """Seconds to wait, or None to stop."""
        if was_ready:
            self._row = 0
            return AFTER_READY_S
        self._early.append(now_s)
        if len(self._early) == EARLY_ENDS and now_s - self._early[0] < WINDOW_S:
            return None
        delay = self.early_delays_s[min(self._row, len(self.early_delays_s) - 1)]
        self._row += 1
        return delay
