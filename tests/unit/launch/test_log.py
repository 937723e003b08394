import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from p2pchat.errors import Failed
from p2pchat.launch import log


@pytest.mark.parametrize(
    ("size", "rotate", "moved"), [(10, True, False), (2**20 + 1, True, True), (2**21, False, False)]
)
def test_a_long_log_is_moved_away_once(tmp_path: Path, size: int, rotate: bool, moved: bool) -> None:
    path = tmp_path / "daemon.log"
    path.write_bytes(b"x" * size)
    fd = log.opened(path, rotate=rotate)
    os.write(fd, b"new")
    os.close(fd)
    assert (tmp_path / "daemon.log.1").exists() == moved
    assert path.stat().st_size == 3 + (0 if moved else size)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "daemon.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed):
        log.opened(tmp_path / "daemon.log", rotate=True)


def test_a_line_has_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    log.say("ready")
    assert capsys.readouterr().err.endswith("Z launcher: ready\n")


@contextmanager
def long_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log beyond its length, with standard error on it as in a daemon in the background."""
    path = folder / "daemon.log"
    path.write_bytes(b"".join(b"line %07d\n" % number for number in range(100_000)))
    with os.fdopen(log.opened(path, rotate=False), "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield path


def test_a_log_that_grew_long_is_shortened_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds it open goes on at its beginning."""
    with long_log(tmp_path, monkeypatch) as path:
        log.shorten(path)
        log.say("after")
        log.shorten(path)  # a short one stays
    old = path.with_name("daemon.log.1")
    lines = old.read_bytes().splitlines(keepends=True)
    assert path.read_text().endswith("launcher: after\n") and path.stat().st_size < 100
    assert (lines[-1], len(lines[0])) == (b"line 0099999\n", 13), "the end, by whole lines"
    assert log.ROTATE_BYTES - 13 <= old.stat().st_size <= log.ROTATE_BYTES
    assert old.stat().st_mode & 0o777 == 0o600


def test_a_terminal_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with long_log(tmp_path, monkeypatch) as path, (tmp_path / "terminal").open("w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        log.shorten(path)
        assert path.stat().st_size > log.ROTATE_BYTES
