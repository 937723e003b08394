"""Two computers with one identity, both running: how they are found out though they show the same keys.

Every program signs its own addresses anew at its start, with a sequence that only rises. Who is told an older record
than the one he holds sends that back; a node that gets a record of its own device which it never signed knows that a
copy of it did, and says so to its user and to every contact.
"""

from datetime import timedelta
from typing import Final

from p2pchat.keys.signed import verify_address_record
from p2pchat.vault.flows import alarms
from p2pchat.vault.flows.turn import Turn
from p2pchat.wire.structs import AddressRecord

_FAR_MS: Final = int(timedelta(days=1) / timedelta(milliseconds=1))  # a sequence is a time: none is so far ahead
_OWN: Final = (
    "a copy of this home is in use{where}: it signed addresses in your name. Stop one of the two: each undoes what the"
    " other agrees with your contacts, and messages go to only one of them"
)
_THEIRS: Final = (
    "this contact's program found that a copy of its identity is in use on another computer. Ask the contact whether it"
    " knows of that before you write anything that matters"
)


def held_by_contact(turn: Turn, raw: bytes) -> None:
    """A contact holds a newer address record of mine. Raises as ``verify_address_record``: the link is then cut."""
    node = turn.node
    record = verify_address_record(raw, node.identity.devices)
    if record.device != node.identity.device.device or record.sequence <= node.sequence.last:
        return  # signed here: for a card, say
    turn.news |= alarms.tell(turn.tx, node, "copy", 0, _OWN.format(where=_where(record)))
    near = record.sequence < node.now_ms() + _FAR_MS
    if near:
        node.sequence.pass_by(record.sequence)  # contacts must take the next one for the newest
    turn.copied = near or not node.copied  # else the two would go on for ever


def said_by_contact(turn: Turn, _body: bytes) -> None:
    """A contact warns of a copy of itself: what was compared with it no longer proves who writes."""
    alarms.distrust(turn.tx, turn.node, "copied", turn.link.contact, _THEIRS)
    turn.news = True


def _where(record: AddressRecord) -> str:
    return f" at {', '.join(f'{address.host}:{address.port}' for address in record.addresses)}" * bool(record.addresses)
