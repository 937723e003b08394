"""How far an own message came, one row a recipient, as the objects of the contract."""

from typing import Final

from p2pchat.delivery.lifecycle import State
from p2pchat.errors import NotFound
from p2pchat.ids import MessageId, user_id_text
from p2pchat.store import messages
from p2pchat.store.messages import Message
from p2pchat.vault.methods.contact import Result
from p2pchat.vault.node import Node

RANK: Final = {State.FAILED: -1, State.QUEUED: 0, State.SENT: 1, State.DELIVERED: 2, State.READ: 3}


def own_rows(node: Node, message: MessageId) -> list[Message]:
    """The rows of an own message, one a recipient. Raises NotFound."""
    rows = [row for row in node.store.read(lambda reader: messages.by_id(reader, message)) if row.outgoing]
    if not rows:
        raise NotFound(f"there is no message {message.hex()} of one's own", hint="p2pchat history PEER")
    return rows


def view(rows: list[Message]) -> Result:
    """One object a message; the state on top is the lowest, ``failed`` only where all failed."""
    states = [State(row.state) for row in rows]
    alive = [state for state in states if state is not State.FAILED]
    return {
        "message": rows[0].message.hex(),
        "state": min(alive or states, key=RANK.__getitem__),
        "recipients": recipients(rows),
    }


def queued_view(message: MessageId, waiting: list[tuple[str, str]]) -> Result:
    """The same for what has just been queued; ``waiting``: (whole ID, why the whole queue waits) of each recipient."""
    each = [{"id": user, "state": State.QUEUED, **({"reason": reason} if reason else {})} for user, reason in waiting]
    return {"message": message.hex(), "state": State.QUEUED, "recipients": each}


def recipients(rows: list[Message]) -> list[dict[str, object]]:
    return [
        {"id": user_id_text(row.user), "state": row.state, **({"reason": row.reason} if row.reason else {})}
        for row in rows
    ]
