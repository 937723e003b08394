"""What was asked of a disk, in order, and what may be left of it after a power cut at any moment.

Pessimistic on purpose: what no sync has confirmed may be lost, kept, torn at the sector, or applied without what came
before it; a name that its directory's sync has not confirmed may be missing. After a sync that *failed* the system
takes the pages for clean, so no later sync writes them either (Rebello et al., "Can Applications Recover from fsync
Failures?", ATC 2020). A rename is one step: every journalling file system keeps it whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final

SECTOR: Final = 512


@dataclass(frozen=True, slots=True)
class Write:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    file: int
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Bind:
    """A new name; ``file`` is None for a directory."""

    name: Path
    file: int | None


@dataclass(frozen=True, slots=True)
class Rename:
    old: Path
    new: Path


@dataclass(frozen=True, slots=True)
class Unlink:
    name: Path


@dataclass(frozen=True, slots=True)
class SyncDirectory:
    name: Path


Operation = Write | Truncate | Sync | Bind | Rename | Unlink | SyncDirectory


class Fate(Enum):
    """What becomes of everything that was not confirmed."""

    LOST = "lost"
    KEPT = "kept"
    ZEROED = "zeroed"  # the file grew, its data never came
    TORN = "torn"  # of each sector, and of each name, its own draw
    NAMES_LOST = "names lost"
    DATA_LOST = "data lost"  # though the names are there


class Trace:
    """The record of one home. ``live`` says which file a name means now."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root
        self.operations: list[Operation] = []
        self.live: dict[Path, int] = {}
        self._files = 0
        self._base: dict[Path, bytes | None] = {}

    def begin(self) -> None:
        """Take what is there now as on the disk for good."""
        self.operations, self.live = [], {}
        found = [path for path in sorted(self.root.rglob("*")) if path.is_file() or path.is_dir()]  # no sockets
        self._base = {path: path.read_bytes() if path.is_file() else None for path in found}
        for path, data in self._base.items():
            if data is not None:
                self.live[path] = self._number()

    def __len__(self) -> int:
        return len(self.operations)

    def create(self, name: Path) -> int:
        file = self.live[name] = self._number()
        self.operations.append(Bind(name, file))
        return file

    def directory(self, name: Path) -> None:
        self.operations.append(Bind(name, None))

    def rename(self, old: Path, new: Path) -> None:
        self.live[new] = self.live.pop(old)
        self.operations.append(Rename(old, new))

    def unlink(self, name: Path) -> None:
        if self.live.pop(name, None) is not None:
            self.operations.append(Unlink(name))

    def note(self, operation: Operation) -> None:
        self.operations.append(operation)

    def after_cut(self, at: int, fate: Fate, seed: int) -> dict[Path, bytes | None]:
        """Names below the root (None: a directory) that a power cut before operation ``at`` may leave."""
        done = self.operations[:at]
        chance = Random(f"{at} {fate.value} {seed}")
        names = self._names(done, fate, chance)
        files = {number: self._data(number, done, fate, chance) for number in sorted(set(names.values()) - {None})}  # type: ignore[type-var]
        held = {name: None if number is None else files[number] for name, number in names.items()}
        return {name: data for name, data in held.items() if _reachable(name, held, self.root)}

    def _number(self) -> int:
        self._files += 1
        return self._files

    def _names(self, done: list[Operation], fate: Fate, chance: Random) -> dict[Path, int | None]:
        numbers = iter(range(1, len(self._base) + 1))
        names = {name: None if data is None else next(numbers) for name, data in self._base.items()}
        confirmed = _confirmed_names(done)
        for at, operation in enumerate(done):
            if not isinstance(operation, Bind | Rename | Unlink):
                continue
            if at in confirmed or _keeps_name(fate, chance):
                _apply_name(operation, names, done[:at])
        return names

    def _data(self, number: int, done: list[Operation], fate: Fate, chance: Random) -> bytes:
        base = [data for data in self._base.values() if data is not None]
        held = bytearray(base[number - 1] if number <= len(base) else b"")
        for operation, confirmed in _changes(number, done):
            if isinstance(operation, Truncate):
                if confirmed or _keeps(fate, chance):
                    _resize(held, operation.size)
            elif confirmed:
                _put(held, operation.offset, operation.data)
            else:
                _put_unconfirmed(held, operation, fate, chance)
        return bytes(held)


def put_on_disk(state: dict[Path, bytes | None], root: Path, target: Path) -> None:
    """Write what a cut left of ``root`` into the empty directory ``target``."""
    for name, data in sorted(state.items()):
        path = target / name.relative_to(root)
        if data is None:
            path.mkdir(mode=0o700)
        else:
            path.write_bytes(data)
            path.chmod(0o600)


def _changes(number: int, done: list[Operation]) -> Iterator[tuple[Write | Truncate, bool]]:
    """One file's changes in order, and whether a sync confirmed each.

    A sync confirms what came after the last one, failed or not: a failed one leaves its pages clean and unwritten.
    """
    waiting: list[Write | Truncate] = []
    for operation in done:
        if isinstance(operation, Write | Truncate) and operation.file == number:
            waiting.append(operation)
        elif isinstance(operation, Sync) and operation.file == number:
            yield from ((change, operation.ok) for change in waiting)
            waiting = []
    yield from ((change, False) for change in waiting)


def _confirmed_names(done: list[Operation]) -> set[int]:
    """Which changes of names a sync of their directory has confirmed."""
    confirmed: set[int] = set()
    waiting: dict[Path, list[int]] = {}
    for at, operation in enumerate(done):
        if isinstance(operation, SyncDirectory):
            confirmed.update(waiting.pop(operation.name, ()))
        elif isinstance(operation, Bind | Rename | Unlink):
            name = operation.new if isinstance(operation, Rename) else operation.name
            waiting.setdefault(name.parent, []).append(at)
    return confirmed


def _apply_name(operation: Bind | Rename | Unlink, names: dict[Path, int | None], before: list[Operation]) -> None:
    if isinstance(operation, Bind):
        names[operation.name] = operation.file
    elif isinstance(operation, Unlink):
        names.pop(operation.name, None)
    else:  # the old name may never have reached the disk; the rename brings its file all the same
        names[operation.new] = _meant(operation.old, before)
        names.pop(operation.old, None)


def _meant(name: Path, before: list[Operation]) -> int | None:
    """The file that ``name`` was given by the last operation that bound it."""
    for operation in reversed(before):
        if isinstance(operation, Bind) and operation.name == name:
            return operation.file
        if isinstance(operation, Rename) and operation.new == name:
            return _meant(operation.old, before[: before.index(operation)])
    raise AssertionError(f"{name} was renamed before it was made")


def _reachable(name: Path, held: dict[Path, bytes | None], root: Path) -> bool:
    return all(parent in held for parent in name.parents if parent != root and parent.is_relative_to(root))


def _keeps(fate: Fate, chance: Random) -> bool:
    return fate in {Fate.KEPT, Fate.NAMES_LOST} or (fate is Fate.TORN and chance.random() < 0.5)


def _keeps_name(fate: Fate, chance: Random) -> bool:
    return fate in {Fate.KEPT, Fate.DATA_LOST, Fate.ZEROED} or (fate is Fate.TORN and chance.random() < 0.5)


def _put_unconfirmed(held: bytearray, write: Write, fate: Fate, chance: Random) -> None:
    if fate is Fate.ZEROED:
        _resize(held, max(len(held), write.offset + len(write.data)))
        return
    for start, end in _sectors(write):
        if _keeps(fate, chance):
            _put(held, start, write.data[start - write.offset : end - write.offset])


def _sectors(write: Write) -> Iterable[tuple[int, int]]:
    """The write in the pieces that a disk writes whole."""
    start, last = write.offset, write.offset + len(write.data)
    while start < last:
        end = min(last, (start // SECTOR + 1) * SECTOR)
        yield start, end
        start = end


def _put(held: bytearray, offset: int, data: bytes) -> None:
    _resize(held, max(len(held), offset + len(data)))
    held[offset : offset + len(data)] = data


def _resize(held: bytearray, size: int) -> None:
    if size < len(held):
        del held[size:]
    else:
        held.extend(bytes(size - len(held)))
