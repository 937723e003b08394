"""Which calls of a disk fail, by their number: the fifth write, every sync from the third on, the tenth read."""

import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import apsw

Call = Literal["write", "sync", "read"]


@dataclass(eq=False, slots=True)
class Faults:
    """``fail`` is asked at every call with its kind and number (from 1); it gives an errno, or 0."""

    fail: Callable[[Call, int], int] = lambda _call, _number: 0
    short_read: int = 0  # the read of this number brings half of what it should
    made: Counter[Call] = field(default_factory=Counter)
    failed: int = 0  # how many calls were made to fail

    def strikes(self, call: Call) -> int:
        """Count a call; the errno that it fails with, or 0."""
        self.made[call] += 1
        error = self.fail(call, self.made[call])
        self.failed += bool(error)
        return error

    def clear(self) -> None:
        """The disk is well from now on; the count goes on."""
        self.fail, self.short_read = lambda _call, _number: 0, 0


def at(call: Call, number: int, error: int = errno.EIO, *, until: int | None = None) -> Callable[[Call, int], int]:
    """The call of that number fails, or all from it up to ``until`` (exclusive)."""
    end = number + 1 if until is None else until
    return lambda kind, count: error if kind == call and number <= count < end else 0


def as_sqlite(call: Call, error: int) -> apsw.Error:
    """What SQLite's own file layer makes of that errno: a write without room is FULL, all else an I/O error."""
    if call == "write" and error in {errno.ENOSPC, errno.EDQUOT}:
        return apsw.FullError("injected")
    codes = {"write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC, "read": apsw.SQLITE_IOERR_READ}
    raised = apsw.IOError("injected")
    raised.extendedresult = codes[call]
    return raised
