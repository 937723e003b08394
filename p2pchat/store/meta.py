"""Single values of the node that must survive: the hybrid clock and the like."""

from typing import Final

from p2pchat.store.tx import Reader, Tx

CLOCK: Final = "clock"  # the highest hybrid clock given or seen
ADDRESSES: Final = "addresses"  # the sequence of the newest own address record
REPLACED: Final = "replaced"  # Unix ms of the last own device set that was signed because a contact held a newer one
SWITCHED_OFF: Final = "switched-off"  # Unix ms at which this device proved to be replaced by another
OWN_USER: Final = "own-user"  # the ID whose store this is
BACKUP_VERIFIED: Final = "backup-verified"  # Unix ms of the last proof that a backup restores this identity

INDEXED: Final = "indexed"  # the last content that the search index knows


def integer(reader: Reader, name: str, default: int = 0) -> int:
    found = reader.value("SELECT value FROM meta WHERE name = ?", name)
    return default if found is None else int(found)


def blob(reader: Reader, name: str) -> bytes | None:
    found = reader.value("SELECT value FROM meta WHERE name = ?", name)
    return None if found is None else bytes(found)


def put(tx: Tx, name: str, value: int | bytes) -> None:
    tx.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
