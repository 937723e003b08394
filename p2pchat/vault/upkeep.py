"""What time alone makes due: expiry, next epochs, old rows, the own device set's renewal."""

from typing import Final

import trio

from p2pchat.limits import DEDUPE_DAYS
from p2pchat.store import messages, outbox
from p2pchat.store.tx import Tx
from p2pchat.vault.flows.link import Nudge
from p2pchat.vault.node import Node

ROUND_S: Final = 60.0
EXPIRY_LATE_S: Final = 5.0  # how late an expiry may be noticed
KEY_DAYS: Final = 7  # how long an idempotency key is known
_DAY_MS: Final = 24 * 3600 * 1000


async def run(node: Node) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_expire, node)
        nursery.start_soon(_rounds, node)


async def _expire(node: Node) -> None:
    while True:
        await trio.sleep(EXPIRY_LATE_S)
        due = node.store.read(outbox.next_expiry_ms)
        if due is not None and due <= node.now_ms():
            await node.store.change(lambda tx: outbox.expire(tx, node.now_ms()))
            node.news.ring()


async def _rounds(node: Node) -> None:
    while True:
        await node.store.change(lambda tx: _prune(tx, node.now_ms()))
        for _ in range(60):
            await trio.sleep(ROUND_S)
            for link in node.links.values():
                link.events.send_nowait(Nudge())  # a turn looks at the clock: is an epoch due, a retry?


def _prune(tx: Tx, now_ms: int) -> None:
    messages.prune_tombstones(tx, now_ms - DEDUPE_DAYS * _DAY_MS)
    outbox.prune_keys(tx, now_ms - KEY_DAYS * _DAY_MS)
