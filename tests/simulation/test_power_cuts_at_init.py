"""The power goes while an identity is made: afterwards there is none, and ``init`` works, or there is a whole one."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import pytest

from p2pchat import atomic
from p2pchat.errors import NotFound, P2PChatError
from p2pchat.home import Home
from p2pchat.keys.identity import load_identity
from p2pchat.keys.vault_file import open_gate, open_vault
from p2pchat.launch.unlock import unlock
from tests.support.power.faults import Call, Faults, at
from tests.support.power.inits import PASSWORD, Bug, make, recorded
from tests.support.power.moments import contents, cuts
from tests.support.power.plain import PlainFiles
from tests.support.power.trace import Fate, Trace, put_on_disk


def problem(folder: Path, *, answered: bool, again: bool = True) -> str:
    """What is wrong with the home that a cut left in ``folder``; empty where it is none at all, or whole.

    ``again``: where it is none, ``init`` is tried once more.
    """
    left = Home(folder / "home", folder / "home")
    try:
        left.check()
    except NotFound as missing:
        if answered or missing.hint != "p2pchat init":
            return f"the identity is gone: {missing.message}"
        if not again:
            return ""
        make(folder)  # over whatever is there
        return problem(folder, answered=True)
    except P2PChatError as failed:
        return failed.message
    try:
        keys = unlock(left.unlock_file, PASSWORD)
        vault = open_vault(left.vault_file.read_bytes(), keys[:32])
        gate = open_gate(left.gate_file.read_bytes(), keys[32:])
    except (P2PChatError, OSError) as half:
        return f"the identity is not whole: {half}"
    return "" if (vault.nickname, gate.user) == ("ada", load_identity(vault).user) else "it holds something else"


def problems(trace: Trace, folder: Path, count: int) -> Iterator[str]:
    judged, shapes = set(), set()
    for number, (when, fate, seed) in enumerate(cuts(trace, count)):
        state, answered = trace.after_cut(when, fate, seed), when == len(trace)
        if (contents(state), answered) in judged:
            continue
        judged.add((contents(state), answered))
        target = folder / f"cut {number}"
        target.mkdir()
        put_on_disk(state, trace.root, target)
        shape = frozenset(state)
        found = problem(target, answered=answered, again=shape not in shapes)
        shapes.add(shape)
        if found:
            yield f"cut before operation {when} of {len(trace)}, {fate.value}, seed {seed}: {found}"


def unconfirmed_names() -> AbstractContextManager[object]:
    """A bug: directories are never synced."""
    return patch.object(atomic, "sync_directory", lambda _path: None)


def unconfirmed_data() -> AbstractContextManager[object]:
    """A bug: files are never synced."""
    sync = os.fsync

    def directories_only(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            sync(fd)

    return patch.object(os, "fsync", directories_only)


def unlock_first() -> AbstractContextManager[object]:
    """A bug: the file that says that there is an identity is the first to be written."""
    replace = atomic.replace
    waiting: list[tuple[Path, bytes]] = []

    def late(path: Path, data: bytes) -> None:
        if path.name == "unlock.key":
            replace(path, data)
            for file in waiting:
                replace(*file)
        elif path.suffix == ".key":
            waiting.append((path, data))
        else:
            replace(path, data)

    return patch.object(atomic, "replace", late)


@pytest.mark.parametrize("count", [24, pytest.param(200, marks=pytest.mark.slow)])
def test_power_cuts_leave_no_identity_or_a_whole_one(tmp_path: Path, count: int) -> None:
    assert list(problems(recorded(tmp_path / "recorded"), tmp_path, count)) == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", [unconfirmed_names, unconfirmed_data, unlock_first])
def test_a_planted_bug_is_noticed(tmp_path: Path, bug: Bug) -> None:
    assert next(problems(recorded(tmp_path / "recorded", bug), tmp_path, 200), "")


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_disk_that_fails_at_any_call_leaves_no_half_identity(tmp_path: Path, call: Call, error: int) -> None:
    """And says so. What it leaves is judged as it is, and as a power cut just then would leave it."""
    number = 0
    while True:
        number += 1
        folder = tmp_path / f"{call} {number}"
        folder.mkdir()
        trace, faults = Trace(folder), Faults(at(call, number, error))
        trace.begin()
        with PlainFiles(trace, faults).installed():
            try:
                make(folder)
            except P2PChatError as told:
                assert told.code == ("FAILED" if error == errno.EIO else "DISK_FULL")
                assert told.hint
        if not faults.failed:
            break
        left = trace.after_cut(len(trace), Fate.LOST, 0)
        after = tmp_path / f"{call} {number} and a cut"
        after.mkdir()
        put_on_disk(left, folder, after)
        assert problem(folder, answered=False, again=False) == problem(after, answered=False) == "", number
    assert number > 8
