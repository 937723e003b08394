"""Which contact or message a user means."""

from typing import Final

from p2pchat.errors import Ambiguous, NotFound
from p2pchat.ids import TEXT_CHARS, MessageId
from p2pchat.store import contacts
from p2pchat.store.contacts import COLUMNS, Contact
from p2pchat.store.messages import BY_ID
from p2pchat.store.tx import Reader

PREFIX_CHARS: Final = 8
ID_BYTES: Final = 16
_CANDIDATES: Final = 8  # as many are named in an error


def contact(reader: Reader, word: str) -> Contact:
    """The contact called ``word``: alias, whole ID, a nickname that only one bears, or an ID prefix.

    A leading ``@`` says that a contact is meant. An alias is one's own word and outweighs what peers call themselves.
    A removed contact is found by its ID alone. Raises NotFound, or Ambiguous with ``candidates``.
    """
    name = word.removeprefix("@")
    exact = _where(reader, "alias = ?1 OR user_text = lower(?1)", name)
    if exact:
        return min(exact, key=lambda found: found.alias != name)
    found = _where(reader, "state <> 'none' AND nickname = ?1", name)
    low, high = name.lower(), name.lower() + "\x7f"
    if PREFIX_CHARS <= len(name) < TEXT_CHARS:
        found += _where(reader, "user_text > ?1 AND user_text < ?2", low, high)
    unique = {one.id: one for one in found}
    if not unique:
        short = name.lower().startswith("pc1") and len(name) < PREFIX_CHARS
        what = f", and an ID takes {PREFIX_CHARS} or more characters" if short else ""
        raise NotFound(f"no contact is called {word!r}{what}", hint="p2pchat contact list")
    if len(unique) > 1:
        raise Ambiguous(
            f"{word!r} may be any of {len(unique)} contacts",
            hint="name one by its ID, or give it an alias: p2pchat contact alias ID NAME",
            candidates=[one.user_text for one in unique.values()][:_CANDIDATES],
        )
    return next(iter(unique.values()))


def message(reader: Reader, word: str) -> MessageId:
    """The message whose id, in hex, is or begins with ``word`` (8 characters at least). Raises NotFound, Ambiguous."""
    low = word.lower()
    if not PREFIX_CHARS <= len(low) <= 2 * ID_BYTES or set(low) - set("0123456789abcdef"):
        raise NotFound(f"{word!r} is no message id", hint="p2pchat history PEER")
    if len(low) == 2 * ID_BYTES:
        whole = reader.value(f"SELECT m.message FROM messages m WHERE {BY_ID} LIMIT 1", bytes.fromhex(low))
        if whole is not None:
            return MessageId(whole)
    found = reader.all(  # through the whole index: 15 ms for 100,000 messages
        "SELECT DISTINCT message FROM messages WHERE message BETWEEN ? AND ? LIMIT ?",
        bytes.fromhex(low.ljust(32, "0")),
        bytes.fromhex(low.ljust(32, "f")),
        _CANDIDATES + 1,
    )
    if not found:
        raise NotFound(f"there is no message {word}", hint="p2pchat history PEER")
    if len(found) > 1:
        raise Ambiguous(
            f"{word} begins several messages",
            hint="type more of the id",
            candidates=[row[0].hex() for row in found][:_CANDIDATES],
        )
    return MessageId(found[0][0])


def _where(reader: Reader, condition: str, *values: str) -> list[Contact]:
    rows = reader.all(f"SELECT {COLUMNS} FROM contacts WHERE {condition} ORDER BY user_text", *values)
    return [contacts.from_row(row) for row in rows]
