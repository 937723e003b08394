"""Warnings that links may cause again and again: told to the user once a day, for each cause and contact."""

from typing import Final

from p2pchat.store import contacts, events
from p2pchat.store.tx import Tx
from p2pchat.vault.node import Node

_DAY_MS: Final = 24 * 3600 * 1000


def tell(tx: Tx, node: Node, cause: str, contact: int, text: str) -> bool:
    """Append a ``warning`` about a contact (0: about this node), unless ``cause`` was told today. Whether it was.

    Kept in memory: after a restart the user may read it once more.
    """
    now_ms = node.now_ms()
    if abs(now_ms - node.alarms.get((cause, contact), -_DAY_MS)) < _DAY_MS:
        return False
    node.alarms[cause, contact] = now_ms
    events.append(tx, "warning", now_ms, contact=contact or None, fields={"text": text})
    return True


def distrust(tx: Tx, node: Node, cause: str, contact: int, text: str) -> None:
    """The same, about keys: what the user once compared no longer holds."""
    if tell(tx, node, cause, contact, text):
        contacts.set_verified(tx, contact, False, node.now_ms())
