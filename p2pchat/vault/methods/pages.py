"""Lists in pages, so that an answer always fits in one line (rpc/methods.py)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from p2pchat.errors import BadFormat
from p2pchat.rpc.fields import PAGE_ITEMS, PAGE_TEXT_BYTES

T = TypeVar("T")
Item = Mapping[str, object]
FETCH: Final = PAGE_ITEMS + 1  # one more than a page: whether anything follows


def of_size(rows: Sequence[T], sizes: Iterable[int]) -> tuple[Sequence[T], bool]:
    """(the rows of this page, whether more follow). ``sizes``: bytes of text a row. At least one row is taken."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if count == PAGE_ITEMS or (count and total > PAGE_TEXT_BYTES):
            return rows[:count], True
    return rows, False


def by_offset(rows: Sequence[T], page: object) -> tuple[Sequence[T], str | None]:
    """One page of a short list that is read whole; the token is the offset."""
    start = integer(page, 0)
    end = start + PAGE_ITEMS
    return rows[start:end], str(end) if end < len(rows) else None


def integer(page: object, default: int) -> int:
    """A token that is a number. Raises BadFormat."""
    if page is None:
        return default
    if not isinstance(page, str) or not page.isdecimal() or len(page) > 18:
        raise BadFormat("this is no page of that list", hint="leave `page` out to begin")
    return int(page)
