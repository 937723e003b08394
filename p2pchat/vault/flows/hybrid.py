"""The node's hybrid clock: in memory it moves with commits, and is stored once a transaction however often it moves."""

from p2pchat.delivery import clock
from p2pchat.store import meta
from p2pchat.store.tx import Tx
from p2pchat.vault.node import Node


def tick(tx: Tx, node: Node) -> int:
    """The value for a message of one's own."""
    return _move(tx, node, clock.tick(node.clock.get(tx), node.now_ms()))


def observe(tx: Tx, node: Node, theirs: int) -> None:
    """A message with this value came: one's next must be shown after it."""
    _move(tx, node, clock.observe(node.clock.get(tx), theirs))


def _move(tx: Tx, node: Node, value: int) -> int:
    node.clock.put(tx, value)
    tx.at_end("clock", lambda last: meta.put(last, meta.CLOCK, node.clock.get(last)), lambda _: None)
    return value
