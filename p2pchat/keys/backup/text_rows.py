"""A backup's container as rows of 24 bytes, of which some may be lost (protocol.md 17).

Layout: data = length u16 ‖ SHA-256(length ‖ container)[:6] ‖ container ‖ zeros to whole rows. Behind D rows of data
stand max(6, D / 10, rounded up) rows of parity (``reed_solomon``). So the number of all rows tells D.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from p2pchat.keys.backup import reed_solomon

MOST_BYTES: Final = 4096  # of a container
ROW_BYTES: Final = 24
LEAST_PARITY: Final = 6
_LENGTH_BYTES: Final = 2
_SUM_BYTES: Final = 6
_FRAME_BYTES: Final = _LENGTH_BYTES + _SUM_BYTES
_MOST_DATA_ROWS: Final = -(-(_FRAME_BYTES + MOST_BYTES) // ROW_BYTES)


def _parity_rows(data_rows: int) -> int:
    return max(LEAST_PARITY, -(-data_rows // 10))


# Rows in all -> rows of parity. Other numbers of rows do not occur.
PARITY: Final = {data + _parity_rows(data): _parity_rows(data) for data in range(1, _MOST_DATA_ROWS + 1)}


def to_rows(container: bytes) -> list[bytes]:
    """Data, then parity, of 1 to ``MOST_BYTES`` bytes."""
    assert 1 <= len(container) <= MOST_BYTES
    length = len(container).to_bytes(_LENGTH_BYTES)
    data = length + _checksum(length, container) + container
    rows = [data[i : i + ROW_BYTES].ljust(ROW_BYTES, b"\0") for i in range(0, len(data), ROW_BYTES)]
    return rows + reed_solomon.parity_rows(rows, _parity_rows(len(rows)))


def from_rows(rows: Sequence[bytes | None]) -> bytes | None:
    """The container, or None where more rows are lost (None) or wrong than can be repaired.

    A wrong row costs as much as two lost ones. ``len(rows)`` must be in ``PARITY``.
    """
    parity = PARITY[len(rows)]
    if sum(row is None for row in rows) > parity:
        return None
    repaired = reed_solomon.data_rows(rows, parity)
    return _unframed(b"".join(repaired)) if repaired else None


def _unframed(data: bytes) -> bytes | None:
    length, checksum = data[:_LENGTH_BYTES], data[_LENGTH_BYTES:_FRAME_BYTES]
    end = _FRAME_BYTES + int.from_bytes(length)
    container, padding = data[_FRAME_BYTES:end], data[end:]
    fills = _FRAME_BYTES < end <= len(data) < end + ROW_BYTES and not any(padding)
    return container if fills and _checksum(length, container) == checksum else None


def _checksum(length: bytes, container: bytes) -> bytes:
    """What tells a right repair from a wrong one."""
    return sha256(length + container).digest()[:_SUM_BYTES]
