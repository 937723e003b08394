import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.errors import AlreadyRunning, Failed
from p2pchat.launch import lock


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    fd = lock.acquire(path)
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        lock.acquire(path)
    assert lock.holder(path) == os.getpid()
    os.close(fd)
    assert lock.holder(path) is None


def test_asking_does_not_take_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock.holder(path) is None
    os.close(lock.acquire(path))
    assert lock.holder(path) is None
    os.close(lock.acquire(path))


def test_an_inherited_lock_outlives_its_taker_and_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    words = (
        "import subprocess, sys; from pathlib import Path; from p2pchat.launch import lock;"
        "fd = lock.acquire(Path(sys.argv[1]));"
        "subprocess.Popen(['sleep', '0.4'], pass_fds=[fd], stdout=subprocess.DEVNULL)"
    )
    subprocess.run([sys.executable, "-c", words, path], check=True)
    assert lock.holder(path) is not None  # the taker has ended, the orphan holds on
    os.close(lock.acquire(path))


def test_a_link_in_the_lock_s_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed):
        lock.acquire(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-1", b"9" * 30, b"\xff\xfe"])
def test_a_strange_pid_is_no_pid(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    fd = lock.acquire(path)
    path.write_bytes(content)
    assert lock.holder(path) == 0
    os.close(fd)
