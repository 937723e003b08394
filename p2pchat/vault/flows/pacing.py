"""Taking a contact's frames no faster than the contact's pace: the limit that slows and never drops (protocol.md 14).

While a contact owes time, its frames wait here and TOOK with them, so the gate stops reading the link, and TCP the
peer. What waits when the link goes counts as not come: nothing of it is stored or acknowledged, so it comes again, and
a flood gains nothing by hanging up.
"""

from collections.abc import Sequence
from typing import Final

import trio

from p2pchat.delivery import pace
from p2pchat.store import inbox
from p2pchat.vault.flows import channel
from p2pchat.vault.flows.link import Link, LinkEvent
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType

PIECE: Final = 16  # frames at a time from a contact that is being slowed: a few after each short pause


async def take(node: Node, link: Link, run: Sequence[LinkEvent]) -> None:
    """Work through ``run`` in order, at the contact's pace."""
    while run and not link.refused:
        first = next((n for n, event in enumerate(run) if _has_price(event)), len(run))
        owed_s = _owed_s(node, link) if first < len(run) else 0.0
        if not owed_s:
            piece = run
        elif first:
            piece = run[:first]  # what costs nothing need not wait
        else:
            await _hold(link, owed_s)
            piece = run[:PIECE]
        if not link.refused:
            await channel.take(node, link, piece)
        run = run[len(piece) :]


def _has_price(event: LinkEvent) -> bool:
    """Messages and statements count (``Turn.count``); what agrees an epoch is bounded by the agreement."""
    return isinstance(event, boundary.Arrived) and event.kind in {FrameType.ENVELOPE, FrameType.CTL}


def _owed_s(node: Node, link: Link) -> float:
    queue = node.store.read(lambda reader: inbox.queue(reader, link.contact))
    per_minute = node.config.messages_per_minute
    return pace.owed_ms(queue.paid_ms, node.now_ms(), per_minute) / 1000 if queue is not None else 0.0


async def _hold(link: Link, owed_s: float) -> None:
    with trio.move_on_after(owed_s):
        await link.gone.wait()
        link.refused = True
