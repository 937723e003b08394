"""What a node is made of, and what it keeps of a message and of a link."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.exchange import Draws, Leg
from p2pchat.channel.parties import Party
from p2pchat.delivery.body import Slot, text_body, void_body
from p2pchat.delivery.flow import Flow
from p2pchat.delivery.lifecycle import State
from p2pchat.delivery.receipts import Receipts
from p2pchat.wire.structs import MessageBody


@dataclass(frozen=True)
class Person:
    """What a node is, whatever happens to its process: name, identity, and how to open a leg with its root."""

    name: str
    party: Party
    draws: Draws
    open_leg: Callable[[Leg], bytes | None]


@dataclass(frozen=True)
class OutRow:
    slot: Slot
    text: str
    state: State
    void: bool = False

    def body(self, number: int) -> MessageBody:
        slot = replace(self.slot, sequence=number)
        return void_body(slot) if self.void else text_body(slot, self.text)


@dataclass
class LinkEnd:
    """A live link, in memory."""

    link: int
    peer: str
    agreement: Agreement
    flow: Flow = field(default_factory=Flow)
    receipts: Receipts = field(default_factory=Receipts)
