"""The command of a systemd unit, run as systemd would run it."""

import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.daemons import nodes

pytestmark = pytest.mark.slow


def test_a_unit_s_command_tells_systemd_when_it_is_ready_and_when_it_ends(tmp_path: Path) -> None:
    """The ExecStart of ``daemon unit``, started as systemd would: no terminal, a socket to tell, SIGTERM at the end."""
    with nodes(tmp_path, 0) as (node,), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        unit = node.ok("daemon", "unit", "--password-file", str(node.password_file), "--listen", "127.0.0.1:0")
        (command,) = (line.partition("=")[2] for line in unit.splitlines() if line.startswith("ExecStart="))
        process = subprocess.Popen(
            shlex.split(command),
            env={**node.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert manager.recv(4096).decode().startswith("READY=1\nSTATUS=listening on 127.0.0.1:")
        found = node.processes()
        assert found["launcher"] == process.pid, "the main process is the one that systemd started"
        for child in ("vault", "gate"):
            assert b"NOTIFY_SOCKET" not in Path(f"/proc/{found[child]}/environ").read_bytes()
        process.terminate()
        assert manager.recv(4096).decode().startswith("STOPPING=1\n")
        process.communicate(timeout=20)
        assert process.returncode == 0
