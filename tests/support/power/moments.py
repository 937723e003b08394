"""At which moments of a recorded run the power goes, and what it leaves: spread over all of it, each fate in turn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.power.trace import Fate, SyncDirectory, Trace
from tests.support.power.trace import Sync as SyncFile

FATES: Final = (Fate.LOST, Fate.TORN, Fate.KEPT, Fate.TORN, Fate.DATA_LOST, Fate.TORN, Fate.NAMES_LOST, Fate.ZEROED)


def cuts(trace: Trace, count: int) -> Iterator[tuple[int, Fate, int]]:
    """``count`` of (operation before which the power goes, fate, seed): first around every sync, then in between."""
    syncs = [at for at, operation in enumerate(trace.operations) if isinstance(operation, SyncFile | SyncDirectory)]
    around = sorted({near for at in syncs for near in (at, at + 1)} | {len(trace)})
    chosen = _spread(around, count // 2) + _spread(list(range(len(trace) + 1)), count - count // 2)
    for number, at in enumerate(chosen):
        yield at, FATES[number % len(FATES)], number


def _spread(moments: list[int], count: int) -> list[int]:
    """``count`` of them at equal distances; where there are fewer, some come again, for another fate."""
    return [moments[number * len(moments) // count] for number in range(count)]


def contents(state: dict[Path, bytes | None]) -> frozenset[tuple[Path, bytes | None]]:
    """To tell states apart: most cuts of a short run leave the same."""
    return frozenset(state.items())
