"""What goes into the agreement beside frames, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from p2pchat.channel.exchange import Leg
from p2pchat.channel.state import ChannelState
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Ctl

if TYPE_CHECKING:  # the two name each other
    from p2pchat.channel.agreement import Agreement


@dataclass(frozen=True, slots=True)
class Moment:
    """What the shell knows when it calls."""

    now_s: float  # boot clock
    now_ms: int  # wall clock, Unix milliseconds
    fresh: bytes = field(repr=False)  # epoch.FRESH_BYTES random bytes, for this call alone
    awaited: int = 1  # the number of the peer's message that the inbox awaits: failed tries are counted by it


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Work for the RSA worker, after ``wait_s`` seconds; its result goes to ``Agreement.leg_opened``."""

    leg: Leg
    wait_s: float


class Became(Enum):
    """What is true from this step on."""

    READY = "ready"  # an epoch is agreed on this link: say Resume, and send once the peer's Resume is here
    CHANGED = "changed"  # the next epoch took over in passing: sending goes on
    UNREADY = "unready"  # a reset is under way: stop sending until READY
    RESEND = "resend"  # say Resume again, so that the peer sends again from my cursor
    ERROR = "error"  # over a limit: the contact's channel is in ``error``, reason damage.REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The outcome of one call. Commit ``store`` first; frames, work and the rest happen after the commit."""

    agreement: Agreement  # takes the place of the one that was asked
    store: ChannelState | None = None  # None = nothing to store
    frames: tuple[tuple[FrameType, bytes], ...] = ()  # in this order
    work: OpenLeg | None = None
    became: frozenset[Became] = frozenset()
    body: bytes | None = None  # of an envelope that opened: an encoded MessageBody, to be committed with ``store``
    ctl: Ctl | None = None  # of a control frame that opened

    def then(self, later: Step) -> Step:
        """Both as one; ``later`` went on from this one's agreement."""
        return replace(
            later, frames=self.frames + later.frames, became=self.became | later.became, work=later.work or self.work
        )
