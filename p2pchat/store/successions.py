"""IDs that were given up: this node's own, and those of contacts (flows/succession.py has the rules)."""

from collections.abc import Callable

from p2pchat.ids import DeviceId, Incarnation, UserId, user_id_text
from p2pchat.store import contacts, outbox, pruning, readers
from p2pchat.store.contacts import Contact
from p2pchat.store.outbox import Make
from p2pchat.store.tx import Reader, Tx


def take_over(
    tx: Tx, device: DeviceId, fresh: Callable[[], Incarnation], make: Callable[[UserId], Make], now_ms: int
) -> None:
    """The store has another ID now. Friends are asked anew, and what waits for them goes from ``device``.

    ``make``: how bodies are made, for a contact's ID. Requests that others made to the ID before came to nothing.
    """
    for contact in contacts.every(tx, "incoming"):
        contacts.forget(tx, contact.id, now_ms)
    for contact in contacts.every(tx, *contacts.FRIENDS):
        contacts.set_state(tx, contact.id, "requested", now_ms)
        tx.execute("UPDATE contacts SET announce = 1, direction = 'out', note = NULL WHERE id = ?", contact.id)
    tx.execute("UPDATE contacts SET accepted_ms = NULL, channel = 'ok', ticket_given = x'', ticket_held = x''")
    tx.execute(
        "UPDATE messages SET device = ? WHERE outgoing = 1"
        " AND number > (SELECT delivered FROM out_queues q WHERE q.contact = messages.contact)",
        device,
    )
    for contact in contacts.every(tx):
        _begin_again(tx, contact.id, fresh(), make(contact.user))


def become(tx: Tx, old: Contact, new: Contact, incarnation: Incarnation, make: Make, now_ms: int) -> None:
    """``old`` goes by the ID of ``new`` from now on, under one row: history, alias and what waits stay.

    The ID that was given up is blocked. ``new`` has no queue with anything in it (``has_written``).
    """
    objects, tickets = contacts.objects(tx, new.id), contacts.tickets(tx, new.id)
    nickname, alias, lan = new.nickname or old.nickname, new.alias or old.alias, new.lan or old.lan
    tx.execute("UPDATE events SET contact = ? WHERE contact = ?", old.id, new.id)
    tx.execute("UPDATE OR IGNORE messages SET contact = ? WHERE contact = ?", old.id, new.id)  # it was one once
    tx.execute("DELETE FROM contacts WHERE id = ?", new.id)
    tx.execute(
        "UPDATE contacts SET user = ?1, user_text = ?2, nickname = ?3, alias = ?4, lan = ?5, addresses = ?6,"
        " successor = x'', fork = x'', avatar = x'', verified = 0, channel = 'ok', updated_ms = ?7 WHERE id = ?8",
        *(new.user, new.user_text, nickname, alias, lan, objects.addresses, now_ms, old.id),
    )
    contacts.set_chain(tx, old.id, objects.key_log, objects.device_set, new.set_sequence, now_ms)
    contacts.set_tickets(tx, old.id, tickets, now_ms)
    readers.rename(tx, pruning.OF_CONTACT + old.user_text, pruning.OF_CONTACT + new.user_text)
    _begin_again(tx, old.id, incarnation, make)
    tx.insert(
        "INSERT INTO contacts (user, user_text, state, direction, via, created_ms, updated_ms)"
        " VALUES (?, ?, 'blocked', 'in', ?, ?, ?)",
        *(old.user, user_id_text(old.user), old.via, now_ms, now_ms),
    )


def has_written(reader: Reader, contact: int) -> bool:
    """Whether messages went between this node and the contact while it is listed."""
    queues = "SELECT tail FROM out_queues WHERE contact = ?1 UNION ALL SELECT have FROM in_queues WHERE contact = ?1"
    return any(number for (number,) in reader.all(queues, contact))


def claim(tx: Tx, contact: int, successor: UserId, now_ms: int) -> None:
    """Somebody of that ID showed that it takes the place of the contact's."""
    tx.execute("UPDATE contacts SET successor = ?, updated_ms = ? WHERE id = ?", successor, now_ms, contact)


def drop_claim(tx: Tx, successor: UserId) -> None:
    """The user decided against it, or for it."""
    tx.execute("UPDATE contacts SET successor = x'' WHERE successor = ? AND successor <> x''", successor)


def successor(reader: Reader, contact: int) -> UserId | None:
    """Of a contact that gave up its ID, while the user has not decided."""
    found = reader.value("SELECT successor FROM contacts WHERE id = ?", contact)
    return UserId(found) if found else None


def predecessor(reader: Reader, user: UserId) -> Contact | None:
    """The contact whose successor ``user`` says to be."""
    row = reader.one(
        f"SELECT {contacts.COLUMNS} FROM contacts WHERE successor = ? AND successor <> x'' AND state <> 'none'", user
    )
    return contacts.from_row(row) if row else None


def to_be_announced(reader: Reader, contact: int) -> bool:
    """Whether this contact was a friend of the ID that this node gave up."""
    return bool(reader.value("SELECT announce FROM contacts WHERE id = ?", contact))


def _begin_again(tx: Tx, contact: int, incarnation: Incarnation, make: Make) -> None:
    """No keys are agreed, and both queues begin a new life: what was not delivered is sent again."""
    tx.execute("DELETE FROM channels WHERE contact = ?", contact)
    if outbox.queue(tx, contact) is not None:
        outbox.renumber(tx, contact, incarnation, make)
        outbox.set_reason(tx, contact, "")
    tx.execute("UPDATE in_queues SET incarnation = x'', have = 0, read = 0, previous = x'' WHERE contact = ?", contact)
    tx.execute("UPDATE messages SET number = NULL WHERE contact = ? AND outgoing = 0 AND number IS NOT NULL", contact)
