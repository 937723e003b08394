"""What time alone makes due: expiry, next epochs, old rows, and what this node signed about itself."""

import logging
from collections.abc import Callable
from typing import Final

import trio

from p2pchat.errors import DiskFull
from p2pchat.limits import DEDUPE_DAYS
from p2pchat.store import comparisons, messages, outbox, pruning
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import channel, compare
from p2pchat.vault.flows.link import Nudge
from p2pchat.vault.node import Node

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
EXPIRY_LATE_S: Final = 5.0  # how late an expiry may be noticed
KEY_DAYS: Final = 7  # how long an idempotency key is known
_DAY_MS: Final = 24 * 3600 * 1000
_log = logging.getLogger(__name__)


async def run(node: Node) -> None:
    """For ever."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_every, EXPIRY_LATE_S, _expire, node)
        nursery.start_soon(_every, EXPIRY_LATE_S, compare.expire, node)
        nursery.start_soon(_every, MINUTE_S, _look_at_links, node)
        nursery.start_soon(_every, HOUR_S, _prune, node)
        nursery.start_soon(_every, DAY_S, channel.tell_addresses, node)


async def _every(pause_s: float, task: Callable[[Node], None], node: Node) -> None:
    while True:
        await trio.sleep(pause_s)
        task(node)


def _expire(node: Node) -> None:
    due = node.store.read(outbox.next_expiry_ms)
    if due is not None and due <= node.now_ms():
        node.store.change_nowait(lambda tx: outbox.expire(tx, node.now_ms()), after=lambda _: node.news.ring())


def _look_at_links(node: Node) -> None:
    """A turn of each link looks at the clock: is an epoch due, or another try?"""
    for link in node.links.values():
        link.post(Nudge())


def _prune(node: Node) -> None:
    def job(tx: Tx) -> None:
        messages.prune_tombstones(tx, node.now_ms() - DEDUPE_DAYS * _DAY_MS)
        comparisons.prune(tx, node.now_ms() - _DAY_MS)
        outbox.prune_keys(tx, node.now_ms() - KEY_DAYS * _DAY_MS)

    node.store.change_nowait(job)
    _prune_events(node)


def _prune_events(node: Node) -> None:
    """A batch at a time, so that what users and peers wait for comes in between."""
    before_ms = node.now_ms() - node.config.keep_events * _DAY_MS

    def go_on(deleted: int) -> None:
        if deleted >= pruning.BATCH_EVENTS:
            _prune_events(node)

    node.store.change_nowait(lambda tx: pruning.prune(tx, before_ms), after=go_on)


def unheard(error: Exception) -> None:
    """An error of a job that nobody waits for: a full disk will do without it, anything else ends the vault."""
    if not isinstance(error, DiskFull):
        raise error
    _log.error("the disk is full: %s", error.message)
