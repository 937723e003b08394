"""The pair channel's state, as bytes that ``channel.state`` understands; one a device of the peer."""

from p2pchat.ids import DeviceId
from p2pchat.store.tx import Reader, Tx


def get(reader: Reader, contact: int, device: DeviceId) -> bytes | None:
    found = reader.value("SELECT state FROM channels WHERE contact = ? AND device = ?", contact, device)
    return None if found is None else bytes(found)


def of_contact(reader: Reader, contact: int) -> dict[DeviceId, bytes]:
    rows = reader.all("SELECT device, state FROM channels WHERE contact = ?", contact)
    return {DeviceId(device): state for device, state in rows}


def any_agreed(reader: Reader) -> bool:
    """Whether this store ever kept a channel, with anybody."""
    return bool(reader.value("SELECT EXISTS (SELECT 1 FROM channels)"))


def put(tx: Tx, contact: int, device: DeviceId, state: bytes, now_ms: int) -> None:
    tx.execute(
        "INSERT INTO channels VALUES (?, ?, ?, ?) ON CONFLICT (contact, device) DO UPDATE"
        " SET state = excluded.state, updated_ms = excluded.updated_ms",
        contact,
        device,
        state,
        now_ms,
    )


def remove(tx: Tx, contact: int, device: DeviceId) -> None:
    tx.execute("DELETE FROM channels WHERE contact = ? AND device = ?", contact, device)
