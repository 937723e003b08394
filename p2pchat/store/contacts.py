"""Contacts: one row a person, kept in state ``none`` after a removal because the history stays.

Which change of state is allowed is said in ``p2pchat.contacts.state``; here a state is a word.
"""

from dataclasses import dataclass
from typing import Final, Literal

from p2pchat.errors import Exists
from p2pchat.ids import Incarnation, UserId, user_id_text
from p2pchat.store import outbox
from p2pchat.store.tx import Reader, Row, Tx

State = Literal["none", "requested", "incoming", "accepted", "restored", "blocked"]
Channel = Literal["ok", "healing", "error"]
Direction = Literal["in", "out"]
FRIENDS: Final[tuple[State, ...]] = ("accepted", "restored")  # who talk: a restored one was accepted once
SHORT_ID_CHARS: Final = 11  # "pc1" and eight more, as the command line prints IDs


@dataclass(frozen=True, slots=True)
class Contact:
    """What is read often; the signed objects and the avatar have calls of their own. Field order = ``COLUMNS``."""

    id: int
    user: UserId
    user_text: str
    alias: str | None
    nickname: str | None  # None until the link tells
    state: State
    verified: bool
    direction: Direction  # in: the contact asked first
    via: str  # tracker | card | question | link
    note: str | None  # the words that came with the request; None until the link tells
    channel: Channel
    lan: bool  # private ranges were allowed by the user
    set_sequence: int  # of the newest device set held
    accepted_ms: int | None  # when it first became a friendship; None: never
    created_ms: int
    updated_ms: int

    @property
    def is_friend(self) -> bool:
        return self.state in FRIENDS

    @property
    def called(self) -> str:
        """What a user may type for this contact: the alias, or as much of the ID as every verb takes."""
        return self.alias or self.user_text[:SHORT_ID_CHARS]


COLUMNS: Final = (
    "id, user, user_text, alias, nickname, state, verified, direction, via, note, channel, lan, set_sequence,"
    " accepted_ms, created_ms, updated_ms"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    user: UserId
    state: State
    direction: Direction
    via: str
    incarnation: Incarnation  # 8 fresh bytes: this life of the outgoing queue
    alias: str | None = None
    nickname: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Objects:
    """Signed objects as received; empty where none is held."""

    key_log: bytes  # encoded KeyLog
    device_set: bytes  # encoded Signed(DeviceSet)
    addresses: bytes  # encoded Signed(AddressRecord)


@dataclass(frozen=True, slots=True)
class Tickets:
    given: bytes  # mine, which the contact holds
    held: bytes  # the contact's, which I hold


def add(tx: Tx, new: NewContact, now_ms: int) -> Contact:
    """List somebody, with empty queues of a new life; a removed contact comes back under the same row.

    Raises Exists where the contact stands or the alias is taken.
    """
    old = by_user(tx, new.user)
    if old is not None and old.state != "none":
        raise Exists("this contact is listed already", hint=f"p2pchat contact show {old.user_text}")
    _free_alias(tx, new.alias, old.id if old else 0)
    contact = old.id if old else _insert(tx, new, now_ms)
    tx.execute(
        "UPDATE contacts SET state = ?, direction = ?, via = ?, alias = ?, nickname = coalesce(?, nickname), note = ?,"
        " created_ms = ?, updated_ms = ? WHERE id = ?",
        *(new.state, new.direction, new.via, new.alias, new.nickname, new.note, now_ms, now_ms, contact),
    )
    if new.state in FRIENDS:
        set_state(tx, contact, new.state, now_ms)
    tx.execute(
        "INSERT INTO out_queues (contact, incarnation, previous) VALUES (?, ?, zeroblob(16))", contact, new.incarnation
    )
    tx.execute("INSERT INTO in_queues (contact, paid_ms) VALUES (?, ?)", contact, now_ms)
    found = get(tx, contact)
    assert found is not None
    return found


def get(reader: Reader, contact: int) -> Contact | None:
    row = reader.one(f"SELECT {COLUMNS} FROM contacts WHERE id = ?", contact)
    return from_row(row) if row else None


def by_user(reader: Reader, user: UserId) -> Contact | None:
    """Also a removed one: look at its state."""
    row = reader.one(f"SELECT {COLUMNS} FROM contacts WHERE user = ?", user)
    return from_row(row) if row else None


def every(reader: Reader, *states: State) -> list[Contact]:
    """All listed contacts, or those in one of ``states``; by alias, nickname, ID."""
    wanted = states or ("requested", "incoming", "accepted", "restored", "blocked")
    marks = ", ".join("?" * len(wanted))
    rows = reader.all(
        f"SELECT {COLUMNS} FROM contacts WHERE state IN ({marks})"
        " ORDER BY alias IS NULL, alias, nickname IS NULL, nickname, user_text",
        *wanted,
    )
    return [from_row(row) for row in rows]


def count(reader: Reader, state: State) -> int:
    return int(reader.value("SELECT count(*) FROM contacts WHERE state = ?", state))


def set_state(tx: Tx, contact: int, state: State, now_ms: int) -> None:
    """Also notes when a friendship first stood."""
    tx.execute(
        "UPDATE contacts SET state = ?1, updated_ms = ?2,"
        " accepted_ms = CASE WHEN ?1 IN ('accepted', 'restored') THEN coalesce(accepted_ms, ?2) ELSE accepted_ms END"
        " WHERE id = ?3",
        *(state, now_ms, contact),
    )


def set_alias(tx: Tx, contact: int, alias: str | None, now_ms: int) -> None:
    """Raises Exists where another contact bears it."""
    _free_alias(tx, alias, contact)
    tx.execute("UPDATE contacts SET alias = ?, updated_ms = ? WHERE id = ?", alias, now_ms, contact)


def set_nickname(tx: Tx, contact: int, nickname: str, now_ms: int) -> None:
    """One who says none, after a login say, keeps the one that is known."""
    tx.execute(
        "UPDATE contacts SET nickname = coalesce(nullif(?, ''), nickname, ''), updated_ms = ? WHERE id = ?",
        *(nickname, now_ms, contact),
    )


def set_note(tx: Tx, contact: int, note: str, now_ms: int) -> None:
    tx.execute("UPDATE contacts SET note = ?, updated_ms = ? WHERE id = ?", note, now_ms, contact)


def set_avatar(tx: Tx, contact: int, avatar: bytes, now_ms: int) -> None:
    tx.execute("UPDATE contacts SET avatar = ?, updated_ms = ? WHERE id = ?", avatar, now_ms, contact)


def set_verified(tx: Tx, contact: int, verified: bool, now_ms: int) -> None:
    tx.execute("UPDATE contacts SET verified = ?, updated_ms = ? WHERE id = ?", verified, now_ms, contact)


def set_channel(tx: Tx, contact: int, channel: Channel, now_ms: int) -> None:
    tx.execute("UPDATE contacts SET channel = ?, updated_ms = ? WHERE id = ?", channel, now_ms, contact)


def set_lan(tx: Tx, contact: int, lan: bool, now_ms: int) -> None:
    tx.execute("UPDATE contacts SET lan = ?, updated_ms = ? WHERE id = ?", lan, now_ms, contact)


def set_chain(tx: Tx, contact: int, key_log: bytes, device_set: bytes, set_sequence: int, now_ms: int) -> None:
    """Verified objects, as received, which the caller found to be newer than those that are held (flows/pins.py)."""
    tx.execute(
        "UPDATE contacts SET key_log = ?1, device_set = ?2, set_sequence = ?3, expected = x'', updated_ms = ?4"
        " WHERE id = ?5",
        *(key_log, device_set, set_sequence, now_ms, contact),
    )


def set_expected(tx: Tx, contact: int, code: bytes, now_ms: int) -> None:
    """An encoded CardCode: what the first link must show."""
    tx.execute("UPDATE contacts SET expected = ?, updated_ms = ? WHERE id = ?", code, now_ms, contact)


def expected(reader: Reader, contact: int) -> bytes:
    """Empty where nothing is expected any more."""
    return bytes(reader.value("SELECT expected FROM contacts WHERE id = ?", contact) or b"")


def set_fork(tx: Tx, contact: int, key_log: bytes, now_ms: int) -> None:
    """A verified KeyLog that forks off the pinned one; empty: the user has decided."""
    tx.execute("UPDATE contacts SET fork = ?, updated_ms = ? WHERE id = ?", key_log, now_ms, contact)


def fork(reader: Reader, contact: int) -> bytes:
    """Empty where there is none."""
    return bytes(reader.value("SELECT fork FROM contacts WHERE id = ?", contact) or b"")


def set_addresses(tx: Tx, contact: int, record: bytes, now_ms: int) -> None:
    """An encoded Signed(AddressRecord)."""
    tx.execute("UPDATE contacts SET addresses = ?, updated_ms = ? WHERE id = ?", record, now_ms, contact)


def set_tickets(tx: Tx, contact: int, tickets: Tickets, now_ms: int) -> None:
    tx.execute(
        "UPDATE contacts SET ticket_given = ?, ticket_held = ?, updated_ms = ? WHERE id = ?",
        *(tickets.given, tickets.held, now_ms, contact),
    )


def objects(reader: Reader, contact: int) -> Objects:
    row = reader.one("SELECT key_log, device_set, addresses FROM contacts WHERE id = ?", contact)
    return Objects(*row) if row else Objects(b"", b"", b"")


def tickets(reader: Reader, contact: int) -> Tickets:
    row = reader.one("SELECT ticket_given, ticket_held FROM contacts WHERE id = ?", contact)
    return Tickets(*row) if row else Tickets(b"", b"")


def avatar(reader: Reader, contact: int) -> bytes:
    return bytes(reader.value("SELECT avatar FROM contacts WHERE id = ?", contact) or b"")


def forget(tx: Tx, contact: int, now_ms: int) -> None:
    """Remove a contact: names, keys, channels and queues go; the messages stay in the history.

    What was not delivered yet becomes ``failed``.
    """
    tx.execute(
        "UPDATE contacts SET state = 'none', alias = NULL, note = NULL, verified = 0, channel = 'ok', lan = 0,"
        " set_sequence = 0, accepted_ms = NULL, ticket_given = x'', ticket_held = x'', addresses = x'',"
        " device_set = x'', key_log = x'', expected = x'', fork = x'', successor = x'', announce = 0, avatar = x'',"
        " updated_ms = ? WHERE id = ?",
        *(now_ms, contact),
    )
    tx.execute("DELETE FROM channels WHERE contact = ?", contact)
    outbox.abandon(tx, contact, "the contact was removed", now_ms)
    tx.execute("UPDATE messages SET number = NULL WHERE contact = ? AND number IS NOT NULL", contact)
    tx.execute("DELETE FROM out_queues WHERE contact = ?", contact)
    tx.execute("DELETE FROM in_queues WHERE contact = ?", contact)


def _insert(tx: Tx, new: NewContact, now_ms: int) -> int:
    return tx.insert(
        "INSERT INTO contacts (user, user_text, state, direction, via, created_ms, updated_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(new.user, user_id_text(new.user), new.state, new.direction, new.via, now_ms, now_ms),
    )


def _free_alias(tx: Tx, alias: str | None, contact: int) -> None:
    taken = tx.value("SELECT user_text FROM contacts WHERE alias = ? AND id <> ?", alias, contact)
    if taken is not None:
        raise Exists(f"another contact bears the alias {alias!r}", hint=f"p2pchat contact show {taken}")


def from_row(row: Row) -> Contact:
    values = list(row)
    values[6], values[11] = bool(values[6]), bool(values[11])
    return Contact(*values)
