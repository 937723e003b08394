"""How much may be in flight to one contact: AIMD from 4 to 512 messages. Lives with the link, in memory.

Until something was lost the window grows by what was acknowledged, so it doubles each round trip and a burst on a fresh
link is not held up; beyond the last loss it grows by one a receipt. Source: TCP's slow start (RFC 5681).
Nothing is handed out before the peer's Resume; a second Resume on the same link goes back to its cursor.
"""

from dataclasses import dataclass, replace
from typing import Final

from p2pchat import limits
from p2pchat.delivery.outgoing import OutQueue

LEAST: Final = limits.WINDOW_MESSAGES[0]
MOST: Final = limits.WINDOW_MESSAGES[1]


@dataclass(frozen=True, slots=True)
class Flow:
    next: int | None = None  # the number to hand out next; None = waiting for the peer's Resume
    window: int = LEAST
    steady: int = MOST  # from this window on growth is slow: half of what was in use at the last loss

    def resumed(self, send_from: int) -> "Flow":
        """The peer's Resume was taken: go on from here."""
        back = self.next is not None and send_from < self.next  # something in flight is to be sent again
        return replace(self._lost() if back else self, next=send_from)

    def stopped(self, queue: OutQueue) -> "Flow":
        """Link down, or a reset under way. What was in flight counts as lost."""
        in_flight = self.next is not None and self.next > queue.first
        return replace(self._lost() if in_flight else self, next=None)

    def acknowledged(self, count: int) -> "Flow":
        """A receipt moved the queue on by ``count`` messages."""
        grown = min(self.window + count, self.steady) if self.window < self.steady else self.window + 1
        return replace(self, window=min(grown, MOST))

    def take(self, queue: OutQueue) -> tuple[range, "Flow"]:
        """(numbers to seal and send now, flow afterwards)."""
        if self.next is None:
            return range(0), self
        end = min(queue.tail, queue.delivered + self.window) + 1
        if end <= self.next:
            return range(0), self
        return range(self.next, end), replace(self, next=end)

    def _lost(self) -> "Flow":
        halved = max(LEAST, self.window // 2)
        return replace(self, window=halved, steady=halved)
