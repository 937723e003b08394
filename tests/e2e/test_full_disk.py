"""A disk that is full, or cannot be written: a sentence, nothing lost, and on it goes once there is room.

The disk is a tmpfs of two MiB in a mount namespace of its own, which takes root and Linux.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import daemons
from tests.support.complaints import refused
from tests.support.daemons import P2PCHAT, Node, befriend, nodes, wait_for

_SMALL = 'mount -t tmpfs -o size=2M,mode=700 none "$1" && cp -a "$2/." "$1" && echo mounted && exec sleep 600'


def _may_mount() -> bool:
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _may_mount(), reason="a small disk needs the right to mount in an own namespace (root)"),
]


@dataclass
class Confined(Node):
    """A node whose home is a small disk that only the processes of one namespace see."""

    keeper: subprocess.Popen[str]  # holds the namespace open

    @property
    def inside(self) -> list[str]:
        return ["nsenter", "-t", str(self.keeper.pid), "-m"]

    @property
    def root(self) -> Path:
        """The home, as it is seen from outside the namespace."""
        return Path(f"/proc/{self.keeper.pid}/root{self.path}")

    def run(self, *args: str, stdin: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.inside, *P2PCHAT, *args],
            env=self.environ,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def refuse(self, code: str, *words: str, says: str = "") -> None:
        refused(self, code, *words, says=says, program=[*self.inside, *P2PCHAT])

    def fill(self) -> None:
        with (self.root / "filler").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        (self.root / "filler").unlink()

    def remount(self, option: str) -> None:
        subprocess.run([*self.inside, "mount", "-o", f"remount,{option}", str(self.path)], check=True)

    def kill(self, *_names: str) -> None:
        pid = daemons.launcher_pid(self.root)
        for process in [] if pid is None else [pid, *daemons.children(pid)]:
            daemons.kill_quietly(process)
        self.keeper.kill()
        self.keeper.wait()


@contextmanager
def confined(folder: Path, home: Path) -> Iterator[Confined]:
    """A copy of ``home`` on a small disk."""
    place = folder / "small"
    place.mkdir(mode=0o700)
    keeper = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", _SMALL, "sh", str(place), str(home)], stdout=subprocess.PIPE, text=True
    )
    with keeper:
        assert keeper.stdout is not None and keeper.stdout.readline() == "mounted\n"
        node = Confined(place, keeper)
        try:
            yield node
        finally:
            node.kill()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (home, b), confined(tmp_path, home.path) as a:
        pid = a.start()["pid"]
        b.start()
        befriend(a, b)
        sent = [a.json("send", b.id, "before", "--wait", "delivered")["message"]]
        a.fill()
        for n in range(4):  # a small text may still find room in a page that is there
            done = a.run("--json", "send", b.id, f"during {n} " + "x" * 30_000)
            if done.returncode == 0:
                sent.append(json.loads(done.stdout)["message"])
        a.refuse("DISK_FULL", "send", b.id, "y" * 60_000, says="nothing was stored")
        a.refuse("DISK_FULL", "contact", "card", "--out", f"{a.path}/card", says="no room")
        a.refuse("DISK_FULL", "config", "set", "log_level", "debug", says="no room")
        assert a.json("whoami")["id"] and a.lines("history", b.id), "what is there can be read"
        assert "BAD   disk" in a.run("doctor").stdout
        back = [b.json("send", a.id, f"to the full one {n} " + "z" * 30_000)["message"] for n in range(3)]
        assert b.run("send", a.id, "and this", "--wait", "delivered", "--timeout", "1").returncode == 7
        assert [waiting["message"] for waiting in b.lines("outbox", "list")][-3:-1] == back[1:]
        assert daemons.launcher_pid(a.root) == pid, "the daemon serves on"

        a.free()
        sent.append(a.json("send", b.id, "after", "--wait", "delivered")["message"])
        for node in (a, b):
            wait_for(lambda node=node: node.lines("outbox", "list") == [], seconds=60, what="the outbox")  # type: ignore[misc]
        assert [event["message"] for event in b.lines("recv")] == sent
        assert [event["message"] for event in a.lines("recv")][:3] == back


def test_a_start_on_a_full_disk_says_so(tmp_path: Path) -> None:
    with nodes(tmp_path, 0) as (home,), confined(tmp_path, home.path) as a:
        a.start()
        a.stop()
        a.fill()
        a.refuse("DISK_FULL", "daemon", "start", says="no room")
        a.free()
        a.start()
        assert a.json("status")["running"]


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with nodes(tmp_path, 0) as (home,), confined(tmp_path, home.path) as a:
        (a.root / "version").unlink()  # what init would write first
        a.remount("ro")
        a.refuse("FAILED", "daemon", "start", says="cannot be written")
        a.refuse("FAILED", "init")
        a.remount("rw")
        a.start()


def test_no_identity_is_half_made_on_a_full_disk(tmp_path: Path) -> None:
    with nodes(tmp_path, 0) as (home,), confined(tmp_path, home.path) as a:
        for file in ("unlock.key", "vault.key", "gate.key", "version"):
            (a.root / file).unlink()
        a.fill()
        a.refuse("DISK_FULL", "init", "--nickname", "ada", says="no room")
        assert not list(a.root.glob("*.key"))
