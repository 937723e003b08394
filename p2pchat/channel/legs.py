"""How often a peer may cost us an RSA private operation (protocol.md 9.2). Too many are slowed down, never dropped."""

import math
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class LegBucket:
    """Token bucket of one peer. It outlives links: keep it in memory between them."""

    tokens: float
    per_second: float
    capacity: float
    at_s: float = 0.0  # boot clock

    def take(self, now_s: float) -> tuple[float, "LegBucket"]:
        """(seconds to wait before the operation, the bucket afterwards). Every leg is served, the eager ones late."""
        tokens = self._now(now_s) - 1.0
        return max(0.0, -tokens / self.per_second), replace(self, tokens=tokens, at_s=now_s)

    def wait_s(self, now_s: float) -> float:
        """How long until ``take`` would ask for no wait, in whole milliseconds; nothing is taken."""
        return math.floor(max(0.0, 1.0 - self._now(now_s)) / self.per_second * 1000 + 0.5) / 1000

    def _now(self, now_s: float) -> float:
        return min(self.capacity, self.tokens + max(0.0, now_s - self.at_s) * self.per_second)


FULL: Final = LegBucket(tokens=8.0, per_second=1.0, capacity=8.0)  # legs of epochs
EVERY: Final = LegBucket(tokens=20.0, per_second=20.0, capacity=20.0)  # legs of messages (message_leg.py)
