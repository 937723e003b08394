"""Live comparisons of keys that went as far as a guess: what bounds them outlives a restart."""

from p2pchat.store.tx import Reader, Tx


def add(tx: Tx, contact: int, now_ms: int) -> None:
    tx.execute("INSERT INTO comparisons VALUES (?, ?)", contact, now_ms)


def count(reader: Reader, contact: int, since_ms: int) -> int:
    """Those that began after ``since_ms``, by a clock that may have been set back: later ones count too."""
    return int(reader.value("SELECT count(*) FROM comparisons WHERE contact = ? AND at_ms > ?", contact, since_ms))


def prune(tx: Tx, before_ms: int) -> None:
    tx.execute("DELETE FROM comparisons WHERE at_ms < ?", before_ms)
