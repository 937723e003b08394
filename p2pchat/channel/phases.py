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
    """Why hi sends REKEY."""

    WISH = 0
    MESSAGES = 1
    TIME = 2
    LOST = 3
    DAMAGED = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """The peer's frame whose leg is being opened: hi an OFFER, lo an ACCEPT."""

    leg: Leg
    frame: bytes
