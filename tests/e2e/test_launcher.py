"""The launcher with real processes, sockets, signals and kill -9; only vault and gate are played."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat import local_socket
from p2pchat.errors import AlreadyRunning, Bug, Corrupt, Failed, NoDaemon, NotFound, Usage, WrongPassword
from p2pchat.home import Home
from p2pchat.launch import daemonize, lock, programs
from p2pchat.launch.opening import Opening

FAKE = str(Path(__file__).parents[1] / "support" / "fake_launcher.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(programs, "python", lambda module: (sys.executable, FAKE))
    made = Home.find(str(tmp_path / "home"), {})
    made.create()
    made.unlock_file.write_bytes(b"played by the fake")
    yield made
    pid = daemonize.running_pid(made)
    if pid:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: daemonize.running_pid(made) is None)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        threading.Event().wait(0.01)


def starts(home: Home, name: str) -> list[tuple[int, str]]:
    path = home.data_dir / f"{name}.started"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(pid), key) for pid, key in (line.split() for line in lines)]


def behave(home: Home, name: str, word: str) -> None:
    (home.data_dir / f"{name}.behaviour").write_text(word)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_start_returns_when_both_are_ready_and_stop_when_all_have_ended(home: Home) -> None:
    told = daemonize.start(home, Opening(b"right"), "127.0.0.1:7001")
    pid = daemonize.running_pid(home)
    assert told == {"pid": pid, "listen": ["127.0.0.1:7001"], "socket": str(home.rpc_sock)}
    [(vault, vault_key)], [(gate, gate_key)] = starts(home, "vault"), starts(home, "gate")
    assert (bytes.fromhex(vault_key), bytes.fromhex(gate_key)) == (b"v" * 32, b"g" * 32)
    for path in (home.rpc_sock, home.gate_sock):
        assert path.lstat().st_mode & 0o777 == 0o600
        local_socket.connect(path, timeout_s=1).close()
    assert daemonize.stop(home) == pid
    assert not any(map(alive, (told["pid"], vault, gate)))  # type: ignore[arg-type]
    assert (home.data_dir / "vault.ended").exists()
    assert (home.data_dir / "gate.ended").exists()
    assert not home.rpc_sock.exists()
    with pytest.raises(NoDaemon):
        daemonize.stop(home)


@pytest.mark.parametrize("victim", ["vault", "gate"])
def test_both_start_again_without_a_password_when_one_is_killed(home: Home, victim: str) -> None:
    daemonize.start(home, Opening(b"right"))
    waiting = local_socket.connect(home.rpc_sock, timeout_s=1)  # callers wait in the backlog meanwhile
    pid = starts(home, victim)[0][0]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(starts(home, "vault")) == 2 == len(starts(home, "gate")))
    assert not any(alive(starts(home, name)[0][0]) for name in ("vault", "gate"))
    assert starts(home, "vault")[0][1] == starts(home, "vault")[1][1]
    assert "SIGKILL; starting both again in 0.1 s" in home.log_file.read_text()
    waiting.close()


def test_children_end_with_a_launcher_that_is_killed_and_then_the_home_is_free(home: Home) -> None:
    daemonize.start(home, Opening(b"right"))
    pid = daemonize.running_pid(home)
    assert pid
    os.kill(pid, signal.SIGKILL)
    again = daemonize.start(home, Opening(b"right"))  # waits for the orphans, replaces the stale sockets
    assert again["pid"] != pid
    assert not any(alive(starts(home, name)[0][0]) for name in ("vault", "gate"))
    local_socket.connect(home.rpc_sock, timeout_s=1).close()


def test_a_second_daemon_is_refused_and_the_first_goes_on(home: Home) -> None:
    told = daemonize.start(home, Opening(b"right"))
    with pytest.raises(AlreadyRunning, match=str(told["pid"])):
        daemonize.start(home, Opening(b"right"))
    local_socket.connect(home.rpc_sock, timeout_s=1).close()
    assert len(starts(home, "vault")) == 1


def test_two_at_once_become_one(home: Home) -> None:
    results: list[object] = []

    def attempt() -> None:
        try:
            results.append(daemonize.start(home, Opening(b"right"))["pid"])
        except AlreadyRunning:
            results.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("refused") == 1
    assert daemonize.running_pid(home) in results


def test_a_wrong_password_leaves_nothing_running(home: Home) -> None:
    with pytest.raises(WrongPassword):
        daemonize.start(home, Opening(b"wrong"))
    wait_for(lambda: daemonize.running_pid(home) is None, 3)
    assert not starts(home, "vault")


@pytest.mark.parametrize(("word", "error"), [("refuse", Failed), ("corrupt", Corrupt), ("bug", Bug)])
def test_what_keeps_a_child_from_starting_is_told_to_the_starter(home: Home, word: str, error: type[Exception]) -> None:
    behave(home, "gate", word)
    with pytest.raises(error):
        daemonize.start(home, Opening(b"right"))
    assert len(starts(home, "gate")) == 1
    assert ("ZeroDivisionError" in home.log_file.read_text()) == (word == "bug")


def test_five_early_ends_are_the_end(home: Home) -> None:
    behave(home, "vault", "die-early")
    with pytest.raises(Failed, match="the 5th time within a minute"):
        daemonize.start(home, Opening(b"right"))
    assert len(starts(home, "vault")) == 5
    wait_for(lambda: daemonize.running_pid(home) is None, 3)


def test_a_store_found_damaged_at_a_restart_ends_the_daemon(home: Home) -> None:
    daemonize.start(home, Opening(b"right"))
    behave(home, "vault", "corrupt")
    os.kill(starts(home, "vault")[0][0], signal.SIGKILL)
    wait_for(lambda: daemonize.running_pid(home) is None)
    assert "CORRUPT: the store is damaged; ended" in home.log_file.read_text()


def test_relock_on_crash_ends_locked(home: Home) -> None:
    home.config_file.write_text("relock_on_crash = true\n")
    daemonize.start(home, Opening(b"right"))
    os.kill(starts(home, "gate")[0][0], signal.SIGKILL)
    wait_for(lambda: daemonize.running_pid(home) is None)
    assert len(starts(home, "gate")) == 1
    assert "LOCKED: the gate was ended by SIGKILL" in home.log_file.read_text()


def test_a_child_that_does_not_end_is_killed(home: Home) -> None:
    behave(home, "vault", "stubborn")
    daemonize.start(home, Opening(b"right"))
    started = time.monotonic()
    daemonize.stop(home)
    assert 1.9 < time.monotonic() - started < 8
    assert not alive(starts(home, "vault")[0][0])


def test_the_vault_can_ask_for_the_end(home: Home) -> None:
    behave(home, "vault", "stop")
    daemonize.start(home, Opening(b"right"))
    local_socket.connect(home.rpc_sock, timeout_s=1).close()
    wait_for(lambda: daemonize.running_pid(home) is None)
    assert "asked to end; ended" in home.log_file.read_text()


def test_the_password_is_nowhere_to_be_seen(home: Home) -> None:
    with pytest.raises(WrongPassword):
        daemonize.start(home, Opening(b"hunter2hunter2"))
    daemonize.start(home, Opening(b"right"))
    pids = [daemonize.running_pid(home), starts(home, "vault")[0][0], starts(home, "gate")[0][0]]
    for pid in pids:
        for name in ("cmdline", "environ"):
            assert b"right" not in Path(f"/proc/{pid}/{name}").read_bytes().replace(b"copyright", b"")
    assert "hunter2" not in home.log_file.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_a_signal_ends_it_in_order(home: Home, number: signal.Signals) -> None:
    words = (
        "import sys; from p2pchat.home import Home; from p2pchat.launch import daemonize, programs;"
        "from p2pchat.launch.opening import Opening;"
        "programs.python = lambda module: (sys.executable, sys.argv[2]);"
        "daemonize.run(Home.find(sys.argv[1], {}), Opening(b'right'), as_json=True)"
    )
    command = [sys.executable, "-c", words, str(home.data_dir), FAKE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert f'"pid": {process.pid}' in line
    assert line.startswith('{"v": 1')
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert "asked to end" in err
    assert (home.data_dir / "vault.ended").exists()


def test_a_home_at_a_path_far_longer_than_a_socket_s(home: Home, tmp_path: Path) -> None:
    deep = Home.find(str(tmp_path.joinpath(*["a long name " * 8] * 12)), {})
    deep.create()
    deep.unlock_file.touch()
    daemonize.start(deep, Opening(b"right"))
    local_socket.connect(deep.rpc_sock, timeout_s=1).close()
    daemonize.stop(deep)


def test_h002_a_link_planted_at_the_socket_s_path_is_not_followed(home: Home, tmp_path: Path) -> None:
    home.rpc_sock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed, match="symbolic link"):
        daemonize.start(home, Opening(b"right"))
    assert not (tmp_path / "elsewhere").exists()


def test_h003_a_stale_socket_is_replaced(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.rpc_sock))
    with pytest.raises(ConnectionRefusedError):
        local_socket.connect(home.rpc_sock, timeout_s=1)
    daemonize.start(home, Opening(b"right"))
    local_socket.connect(home.rpc_sock, timeout_s=1).close()


def test_what_can_be_seen_before_is_refused_before(home: Home) -> None:
    with pytest.raises(Usage):
        daemonize.start(home, Opening(b"right"), "7000")
    home.unlock_file.unlink()
    with pytest.raises(NotFound):
        daemonize.start(home, Opening(b"right"))
    assert lock.holder(home.lock_file) is None
