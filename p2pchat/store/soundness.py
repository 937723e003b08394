"""Is the store sound? Every page is read and compared with every other that speaks of it: for ``Store.read_slow``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from p2pchat.errors import TimedOut
from p2pchat.store import census
from p2pchat.store.tx import Reader

PROBLEMS: Final = 8  # named; more say nothing new


@dataclass(frozen=True, slots=True)
class Verdict:
    size_bytes: int
    problems: tuple[str, ...]  # empty: sound


def check(reader: Reader, over: Callable[[], bool]) -> Verdict:
    """Raises Corrupt where a page cannot even be read (its tag is wrong), TimedOut once ``over`` says so."""
    size, _ = census.size_bytes(reader)
    found = reader.all_unless(over, f"PRAGMA integrity_check({PROBLEMS})")
    if found is None:
        raise TimedOut("the store is larger than what can be checked in this time", hint="p2pchat doctor")
    orphans = reader.all_unless(over, "PRAGMA foreign_key_check") or []
    problems = [str(row[0])[:200] for row in found if row[0] != "ok"]
    problems += [f"a row of {row[0]} points at nothing" for row in orphans]
    return Verdict(size, tuple(problems[:PROBLEMS]))
