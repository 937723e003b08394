"""How much may be in flight to one contact: AIMD from 4 to 64 messages (DESIGN 8). Lives with the link, in memory.

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

    def resumed(self, send_from: int) -> "Flow":
        """The peer's Resume was taken: go on from here."""
        back = self.next is not None and send_from < self.next  # something in flight is to be sent again
        return Flow(send_from, _halved(self.window) if back else self.window)

    def stopped(self, queue: OutQueue) -> "Flow":
        """Link down, or a reset under way. What was in flight counts as lost."""
        in_flight = self.next is not None and self.next > queue.first
        return Flow(None, _halved(self.window) if in_flight else self.window)

    def acknowledged(self) -> "Flow":
        """A receipt moved the queue on: one round trip, one message more."""
        return replace(self, window=min(self.window + 1, MOST))

    def take(self, queue: OutQueue) -> tuple[range, "Flow"]:
        """(numbers to seal and send now, flow afterwards)."""
        if self.next is None:
            return range(0), self
        end = min(queue.tail, queue.delivered + self.window) + 1
        if end <= self.next:
            return range(0), self
        return range(self.next, end), replace(self, next=end)


def _halved(window: int) -> int:
    return max(LEAST, window // 2)
