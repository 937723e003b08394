import socket
from pathlib import Path

import pytest

from p2pchat import local_socket
from p2pchat.errors import Failed


def deep(tmp_path: Path) -> Path:
    folder = tmp_path.joinpath(*["x" * 100] * 5)
    folder.mkdir(parents=True)
    return folder / "s.sock"


@pytest.mark.parametrize("proc", [True, False])
def test_a_path_of_any_length(tmp_path: Path, proc: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not proc:  # as on macOS
        monkeypatch.setattr(Path, "is_dir", lambda self: str(self) != "/proc/self/fd")
    path, before = deep(tmp_path), Path.cwd()
    with local_socket.listen(path) as listener, local_socket.connect(path, timeout_s=1) as near:
        far, _ = listener.accept()
        with far:
            near.sendall(b"hello")
            assert far.recv(5) == b"hello"
    assert Path.cwd() == before


def test_only_the_user_may_connect(tmp_path: Path) -> None:
    with local_socket.listen(tmp_path / "s"):
        assert (tmp_path / "s").lstat().st_mode & 0o777 == 0o600


def test_h003_a_dead_daemon_s_socket_is_replaced(tmp_path: Path) -> None:
    local_socket.listen(tmp_path / "s").close()
    with pytest.raises(ConnectionRefusedError):
        local_socket.connect(tmp_path / "s", timeout_s=1)
    with local_socket.listen(tmp_path / "s"), local_socket.connect(tmp_path / "s", timeout_s=1):
        pass


@pytest.mark.parametrize("kind", ["link", "file", "directory"])
def test_h002_anything_else_in_its_place_is_refused(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "s", tmp_path / "other"
    if kind == "link":
        other.touch()
        path.symlink_to(other)
    elif kind == "file":
        path.write_text("kept")
    else:
        path.mkdir()
    with pytest.raises(Failed, match="will not be followed or replaced"):
        local_socket.listen(path)
    assert path.lstat()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        local_socket.connect(tmp_path / "s", timeout_s=1)


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot make the socket"):
        local_socket.listen(tmp_path / "none" / "s")


def test_the_umask_comes_back(tmp_path: Path) -> None:
    local_socket.listen(tmp_path / "s").close()
    (tmp_path / "f").touch()
    with socket.socket(socket.AF_UNIX) as plain:
        plain.bind(str(tmp_path / "p"))
    assert (tmp_path / "f").stat().st_mode & 0o077 == (tmp_path / "p").lstat().st_mode & 0o066
