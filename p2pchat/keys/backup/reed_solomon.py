"""Reed-Solomon across lines of equal length: byte j of every line makes codeword j, so a bad line is one bad symbol.

The code of QR symbols: GF(256) with x⁸ + x⁴ + x³ + x² + 1, roots 2⁰ to 2^(parity - 1), data first, then parity.
"""

from collections.abc import Sequence
from typing import Final

MOST_ROWS: Final = 255  # data and parity: the length of a codeword


def parity_rows(rows: Sequence[bytes], parity: int) -> list[bytes]:
    """``parity`` rows to stand behind the data rows."""
    from reedsolo import RSCodec  # type: ignore[import-untyped]  # here, as no other verb needs it

    assert 0 < len(rows) <= MOST_ROWS - parity
    codec = RSCodec(parity)
    columns = [codec.encode(bytes(column))[-parity:] for column in zip(*rows, strict=True)]
    return [bytes(row) for row in zip(*columns, strict=True)]


def data_rows(rows: Sequence[bytes | None], parity: int) -> list[bytes] | None:
    """The data rows out of all rows, None standing for a lost one; or None where too many are lost or wrong.

    Repairs where lost rows + 2 · wrong rows <= parity. Beyond that it may also answer with something wrong: what the
    rows hold needs a checksum of its own.
    """
    from reedsolo import ReedSolomonError, RSCodec

    lost = [at for at, row in enumerate(rows) if row is None]
    length = max((len(row) for row in rows if row is not None), default=0)
    codec = RSCodec(parity)
    given = zip(*(row or bytes(length) for row in rows), strict=True)
    try:
        columns = [codec.decode(bytes(column), erase_pos=lost)[0] for column in given]
    except ReedSolomonError:
        return None
    return [bytes(row) for row in zip(*columns, strict=True)]
