"""What the gate counts since its start: numbers by words of closed sets, no ID and no address among them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from p2pchat.errors import P2PChatError

OwnRole = Literal["initiator", "responder"]


@dataclass(eq=False, slots=True)
class Counts:
    handshakes: Counter[tuple[OwnRole, str]] = field(default_factory=Counter)  # own role, how it ended
    ended: Counter[str] = field(default_factory=Counter)  # links by reason
    turned_away: int = 0  # visitors, because the door was full
    strangers: int = 0  # who were shown what strangers are shown: a page, or a session that refuses
    sent_bytes: int = 0  # of links that have ended
    received_bytes: int = 0

    def handshake(self, own: OwnRole, error: P2PChatError | None) -> None:
        """One came to its end; ``error`` is what it failed with."""
        self.handshakes[own, "ok" if error is None else error.code.lower()] += 1
