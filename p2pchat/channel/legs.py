"""How often a peer may cost us an RSA private operation: 8 at once, one more each second (PROTOCOL 3)."""

from dataclasses import dataclass
from typing import Final

CAPACITY: Final = 8.0
PER_SECOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class LegBucket:
    """Token bucket of one peer. It outlives links: keep it in memory between them."""

    tokens: float = CAPACITY
    at_s: float = 0.0  # boot clock

    def take(self, now_s: float) -> tuple[float, "LegBucket"]:
        """(seconds to wait before the operation, the bucket afterwards). Every leg is served, the eager ones late."""
        passed_s = max(0.0, now_s - self.at_s)
        tokens = min(CAPACITY, self.tokens + passed_s * PER_SECOND) - 1.0
        return max(0.0, -tokens / PER_SECOND), LegBucket(tokens, now_s)


FULL: Final = LegBucket()
