"""RSA private operations for peers: in the one worker, off the loop, no more often than a peer's bucket allows."""

import trio

from p2pchat.channel.exchange import Leg, OpenedLeg
from p2pchat.channel.legs import EVERY
from p2pchat.channel.step import OpenLeg
from p2pchat.errors import CryptoError
from p2pchat.vault.flows.link import KeyedEnvelope, LegOpened, Link, LinkEvent
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType


async def open_for_epoch(node: Node, link: Link, work: OpenLeg) -> None:
    """The leg of an OFFER or ACCEPT; the result comes as an event of the link."""
    await trio.sleep(work.wait_s)
    link.post(LegOpened(work.leg, await node.env.work(_opened, node, work.leg)))


async def open_for_message(node: Node, link: Link, event: LinkEvent) -> LinkEvent:
    """An ENVELOPE that bears a leg of its own comes back with it opened; anything else as it is.

    The link's task waits here, so what follows on the link keeps its order and the gate reads no more than its window.
    """
    session = link.session.value
    if session is None or not (isinstance(event, boundary.Arrived) and event.kind == FrameType.ENVELOPE):
        return event
    leg = session.agreement.leg_to_open(event.body)
    if leg is None:
        return event
    wait_s, node.message_legs[link.user] = node.message_legs.get(link.user, EVERY).take(node.env.clock.boot_s())
    await trio.sleep(wait_s)
    return KeyedEnvelope(event, OpenedLeg(leg, await node.env.work(_opened, node, leg)))


def bears_leg(event: LinkEvent) -> bool:
    """Whether ``open_for_message`` may have to work."""
    return isinstance(event, boundary.Arrived) and event.kind == FrameType.ENVELOPE and event.body[13:14] == b"\1"


def _opened(node: Node, leg: Leg) -> bytes | None:
    try:
        return node.identity.root.oaep_open(leg.ciphertext, leg.label)
    except (CryptoError, ValueError):
        return None  # shows only as a wrong MAC or tag later: one observable result
