"""Where an agreement stands. ``agreement.TABLE`` says which frame may come when."""

from dataclasses import dataclass
from enum import Enum, IntEnum

from p2pchat.channel.exchange import Leg


class Role(Enum):
    LO = "lo"
    HI = "hi"


class Phase(Enum):
    HELLO = "hello"  # the peer's HELLO is awaited
    IDLE = "idle"  # nothing under way (hi: an OFFER may come at any time)
    OFFERED = "offered"  # lo: ACCEPT is awaited
    OPENING = "opening"  # the RSA worker has the peer's leg
    PAUSED = "paused"  # the channel is in ``error``: nothing until its time has come


class Ask(IntEnum):
    """Why REKEY is sent: by hi, which asks for an epoch, but for the last."""

    WISH = 0
    MESSAGES = 1
    TIME = 2
    LOST = 3
    DAMAGED = 4
    STOPPED = 5  # by either: over the limit of the damage rule, so nothing more is opened or sent


@dataclass(frozen=True, slots=True)
class Opening:
    """The peer's frame whose leg is being opened: hi an OFFER, lo an ACCEPT."""

    leg: Leg
    frame: bytes
