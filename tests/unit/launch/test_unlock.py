"""The unlock child, run as the launcher runs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from p2pchat.errors import Bug, Corrupt, DongleMissing, NotFound, P2PChatError, WrongPassword
from p2pchat.keys.dongle import key_file
from p2pchat.keys.key_file import derive
from p2pchat.keys.seal import LIGHT, seal
from p2pchat.launch import programs
from p2pchat.launch.opening import Opening
from p2pchat.launch.unlocker import Keys, Unlocker

KEK = bytes(range(32))
FRESH = bytes(64)


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "unlock.key"
    path.write_bytes(seal(KEK, b"a password", fresh=bytes(40), cost=LIGHT))
    return path


@contextmanager
def unlocking(
    path: Path, password: bytes, command: tuple[str, ...] = programs.own().unlock, dongle: str = ""
) -> Iterator[Unlocker]:
    own = replace(programs.own(), unlock=command)
    unlocker = Unlocker(own, path, Opening(password, dongle), programs.environ(os.environ))
    try:
        yield unlocker
    finally:
        unlocker.end()


def test_it_returns_the_two_keys_and_not_the_kek(sealed: Path) -> None:
    with unlocking(sealed, b"a password") as unlocker:
        assert unlocker.finish() == Keys(derive(KEK, "vault"), derive(KEK, "gate"))


def test_a_dongle_answers_the_child_and_not_the_launcher(tmp_path: Path) -> None:
    stick, path = tmp_path / "stick", tmp_path / "unlock.key"
    key_file.create(str(stick), FRESH)
    answer = key_file.answer(str(stick))
    for password in (b"", b"a password"):
        path.write_bytes(seal(KEK, password, dongle=answer, fresh=bytes(40), cost=LIGHT))
        with unlocking(path, password, dongle=f"file:{stick}") as unlocker:
            assert unlocker.finish() == Keys(derive(KEK, "vault"), derive(KEK, "gate"))
        with unlocking(path, password) as unlocker, pytest.raises(DongleMissing):
            unlocker.finish()
        with unlocking(path, password, dongle=f"file:{tmp_path}/nothing") as unlocker, pytest.raises(DongleMissing):
            unlocker.finish()
    with unlocking(path, b"another", dongle=f"file:{stick}") as unlocker, pytest.raises(WrongPassword):
        unlocker.finish()
    unlocker = Unlocker(programs.own(), path, Opening(b"", f"file:{stick}"), programs.environ(os.environ))
    unlocker.end()  # in the middle of it


def test_a_wrong_password(sealed: Path) -> None:
    with unlocking(sealed, b"another") as unlocker, pytest.raises(WrongPassword):
        unlocker.finish()


def test_an_endless_password_is_refused(sealed: Path) -> None:
    with unlocking(sealed, b"x" * 20_000) as unlocker, pytest.raises(P2PChatError, match="longer than"):
        unlocker.finish()


def test_damage_is_told_from_a_wrong_password(sealed: Path) -> None:
    data = bytearray(sealed.read_bytes())
    data[-20] ^= 1
    sealed.write_bytes(data)
    with unlocking(sealed, b"a password") as unlocker, pytest.raises(Corrupt):
        unlocker.finish()


def test_no_identity(tmp_path: Path) -> None:
    with unlocking(tmp_path / "unlock.key", b"x") as unlocker, pytest.raises(NotFound):
        unlocker.finish()


def test_an_end_without_a_word_is_a_bug(sealed: Path) -> None:
    with unlocking(sealed, b"x", ("false",)) as unlocker, pytest.raises(Bug, match="status 1"):
        unlocker.finish()
