"""What a reader is told instead of the events that were deleted before it came to them (store/pruning.py)."""

from typing import Final

from p2pchat.store import pruning
from p2pchat.vault.node import Node

_GAP: Final = (
    "{messages} messages that this reader had not come to are older than {days} days (keep_events): events up to"
    " {upto} are no longer kept; p2pchat history PEER still shows the messages"
)


def event(node: Node, reader: str, after: int, *, every_type: bool) -> dict[str, object] | None:
    """A warning with the cursor of the last event that is gone; None where this reader, standing there, missed none."""
    gap = node.store.read(lambda snapshot: pruning.gap(snapshot, reader))
    if gap is None or gap.upto <= after or not (gap.messages or every_type):
        return None
    text = _GAP.format(messages=gap.messages, days=node.config.keep_events, upto=gap.upto)
    return {"cursor": gap.upto, "type": "warning", "received_ms": node.now_ms(), "text": text}
