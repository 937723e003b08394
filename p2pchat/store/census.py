"""Numbers of rows and pages, for ``metrics``. Some walk a whole table: for ``Store.read_slow`` alone."""

from p2pchat.store.messages import STATE
from p2pchat.store.tx import Reader


def messages(reader: Reader) -> dict[tuple[bool, str], int]:
    """How many, by (outgoing, state)."""
    rows = reader.all(
        f"SELECT m.outgoing, {STATE}, count(*) FROM messages m LEFT JOIN out_queues q"
        " ON q.contact = m.contact AND m.outgoing = 1 WHERE m.void = 0 GROUP BY 1, 2"
    )
    return {(bool(outgoing), str(state)): int(count) for outgoing, state, count in rows}


def contacts(reader: Reader) -> dict[str, int]:
    """How many by state, those aside who were removed."""
    rows = reader.all("SELECT state, count(*) FROM contacts WHERE state <> 'none' GROUP BY 1")
    return {str(state): int(count) for state, count in rows}


def channels(reader: Reader) -> dict[str, int]:
    """Accepted contacts by their channel's health."""
    rows = reader.all("SELECT channel, count(*) FROM contacts WHERE state = 'accepted' GROUP BY 1")
    return {str(health): int(count) for health, count in rows}


def size_bytes(reader: Reader) -> tuple[int, int]:
    """(the whole database, its free pages)."""
    page, pages, free = (int(reader.value(f"PRAGMA {name}")) for name in ("page_size", "page_count", "freelist_count"))
    return page * pages, page * free
