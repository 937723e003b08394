"""The vault needs nothing but its home: every vault of these tests is sealed, and the seal bites.

``tests/support/daemons.py`` starts each daemon with ``tests/support/sealing`` on PYTHONPATH, so the other tests here
are the proof that a vault does its work sealed; these look at what the seal cannot see, and break it on purpose.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemons import Node, befriend, children, nodes, wait_for
from tests.support.sealing import sealed_vault

TOP = Path(__file__).parents[2]
FORBIDDEN = {
    "a network socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "a network socket, IPv6 datagram": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "a netlink socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a connection of trio's": "import trio; trio.run(trio.open_tcp_stream, '127.0.0.1', 9)",
    "a name look-up": "import socket; socket.getaddrinfo('localhost', 80)",
    "a child process": "import subprocess; subprocess.run(['/bin/true'])",
    "a fork": "import os; os.fork()",
    "a shell": "import os; os.system('true')",
    "another program in its place": "import os; os.execv('/bin/true', ['true'])",
    "a foreign library": "import ctypes; ctypes.CDLL(None)",
    "foreign memory": "import ctypes; ctypes.string_at(id(home), 8)",
    "a library loaded late": "import _lsprof",
    "a file to read": "open('/etc/hostname')",
    "a file to write": "open('/dev/shm/p2pchat-test', 'wb')",
    "a file by os.open": "import os; os.open('/proc/meminfo', os.O_RDONLY)",
    "a file by pathlib": "from pathlib import Path; Path('/etc/passwd').read_bytes()",
    "a temporary file": "import tempfile; tempfile.TemporaryFile()",
    "a way out by a link": "open(home / 'link')",
    "a listing": "import os; os.listdir('/')",
    "a file moved out": "import os; os.rename(home / 'a', '/dev/shm/p2pchat-a')",
    "a directory": "import os; os.mkdir('/dev/shm/p2pchat-directory')",
}
ALLOWED = {
    "a local socket": "import socket; socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "import socket; socket.socketpair()",
    "a file at home": "(home / 'b').write_text('x'); (home / 'b').rename(home / 'c')",
    "a module of Python's": "import wave",
    "randomness and nothing": "open('/dev/urandom', 'rb').close(); open('/dev/null', 'wb').close()",
    "an event loop": "import trio; trio.run(trio.sleep, 0)",
}


def sealed_run(home: Path, code: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own that seals itself in ``home`` and then runs ``code``."""
    (home / "a").write_text("a")
    (home / "link").symlink_to("/etc/hostname")
    program = (
        f"import socket, subprocess, trio, os, pathlib; from pathlib import Path; import sealed_vault\n"
        f"home = Path({str(home)!r})\nsealed_vault.seal(home)\n{code}\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(sealed_vault.__file__).parent)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=home, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_seal_ends_a_process_that_touches(tmp_path: Path, what: str) -> None:
    done = sealed_run(tmp_path, FORBIDDEN[what])
    assert done.returncode == sealed_vault.STATUS, done.stderr
    assert "the sealed vault" in sealed_vault.complaints(tmp_path)


@pytest.mark.parametrize("what", ALLOWED)
def test_the_seal_lets_pass(tmp_path: Path, what: str) -> None:
    done = sealed_run(tmp_path, ALLOWED[what])
    assert (done.returncode, done.stderr) == (0, "")
    assert sealed_vault.complaints(tmp_path) == ""


def sealed(node: Node) -> list[int]:
    """The vaults of a home that were sealed."""
    try:
        return [int(line) for line in (node.path / sealed_vault.SEALED).read_text().split()]
    except FileNotFoundError:
        return []


def test_a_planted_leak_in_a_real_vault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sealed_vault.PLANT, "import socket; socket.getaddrinfo('example.org', 443)")
    leak = pytest.raises(AssertionError, match="a vault left its place")
    with leak, nodes(tmp_path, 0) as (node,):
        node.start()
        vault = node.processes()["vault"]
        node.ok("status")
        assert sealed(node) == [vault]
        node.run("daemon", "status", timeout=20)  # the vault is gone before it answers; its successor leaks, too
        wait_for(lambda: bool(sealed_vault.complaints(node.path)), seconds=30, what="the complaint")
        assert "a name look-up: socket.getaddrinfo" in sealed_vault.complaints(node.path)
        assert f"status {sealed_vault.STATUS}" in (node.path / "logs" / "daemon.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process holds open")
def test_a_busy_vault_holds_no_network_socket_and_no_file_outside(tmp_path: Path) -> None:
    """Also what C opened: SQLite's files, sockets that were inherited."""
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        for number in range(3):
            a.ok("send", b.id, f"text {number}", "--wait", "delivered")
        a.ok("history", b.id, "--search", "text")
        vault = a.processes()["vault"]
        assert sealed(a) == [vault]
        assert children(vault) == []
        network = inodes("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
        unix = inodes("unix")
        for link in [str(entry.readlink()) for entry in Path(f"/proc/{vault}/fd").iterdir()]:
            if link.startswith("socket:["):
                assert link[8:-1] in unix and link[8:-1] not in network
            elif link.startswith("/"):
                assert Path(link).is_relative_to(a.path) or link == "/dev/null", link
            else:
                assert link.startswith(("pipe:", "anon_inode:")), link


def inodes(*tables: str) -> set[str]:
    found = set()
    for table in tables:
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        found |= {line.split()[6 if table == "unix" else 9] for line in lines}
    return found


def test_proc_lists_the_sockets_that_the_test_looks_for() -> None:
    with socket.socket(socket.AF_UNIX) as local, socket.create_server(("127.0.0.1", 0)) as net:
        ours = {str(Path(f"/proc/self/fd/{one.fileno()}").readlink())[8:-1] for one in (local, net)}
        assert len(ours & inodes("unix")) == len(ours & inodes("tcp")) == 1
