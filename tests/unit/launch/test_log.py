import os
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
