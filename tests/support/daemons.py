"""Real daemons under test: homes made from stored keys, the real command line, and kill -9."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.sealing.sealed_vault import complaints

PASSWORD = "correct horse battery staple"
SEALING = str(Path(__file__).parent / "sealing")
P2PCHAT = [sys.executable, "-m", "p2pchat"]


class CommandFailed(AssertionError):
    def __init__(self, args: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"p2pchat {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        self.status = done.returncode


@dataclass
class Node:
    """One home and its daemon, driven as a user would."""

    path: Path
    password_file: Path = field(init=False)

    def __post_init__(self) -> None:
        self.password_file = self.path.parent / f"{self.path.name}.password"
        self.password_file.write_text(PASSWORD + "\n")

    @property
    def environ(self) -> dict[str, str]:
        keep = {k: v for k, v in os.environ.items() if not k.startswith("P2PCHAT")}
        sealing = os.pathsep.join(filter(None, [SEALING, keep.get("PYTHONPATH", "")]))  # every vault under test
        own = {"P2PCHAT_HOME": str(self.path), "P2PCHAT_PASSWORD_FILE": str(self.password_file)}
        return {**keep, **own, "PYTHONPATH": sealing}

    def run(self, *args: str, stdin: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*P2PCHAT, *args],
            env=self.environ,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, *args: str, stdin: str | None = None, timeout: float = 60) -> str:
        done = self.run(*args, stdin=stdin, timeout=timeout)
        if done.returncode != 0:
            raise CommandFailed(args, done)
        return done.stdout

    def json(self, *args: str, stdin: str | None = None, timeout: float = 60) -> Any:
        """The one object that a verb prints under --json."""
        return json.loads(self.ok("--json", *args, stdin=stdin, timeout=timeout))

    def lines(self, *args: str, timeout: float = 60) -> list[dict[str, Any]]:
        """The objects, one a line, that a listing verb prints under --json."""
        return [json.loads(line) for line in self.ok("--json", *args, timeout=timeout).splitlines()]

    def start(self, listen: str = "127.0.0.1:0") -> dict[str, Any]:
        started: dict[str, Any] = self.json("daemon", "start", "--listen", listen)
        return started

    def stop(self) -> None:
        self.run("daemon", "stop")

    @property
    def id(self) -> str:
        return str(self.json("whoami")["id"])

    def processes(self) -> dict[str, int]:
        """Process ids of this home's ``launcher``, ``vault`` and ``gate``, as far as they live."""
        launcher = launcher_pid(self.path)
        if launcher is None:
            return {}
        found = {"launcher": launcher}
        for child in children(launcher):
            words = command_line(child)
            if "p2pchat.vault" in words:
                found["vault"] = child
            if "p2pchat.firewall" in words:
                found["gate"] = child
        return found

    def kill(self, *names: str) -> None:
        """SIGKILL to the named processes of this home, or to all."""
        for name, pid in self.processes().items():
            if not names or name in names:
                kill_quietly(pid)


def kill_quietly(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def launcher_pid(home: Path) -> int | None:
    try:
        pid = int((home / "lock").read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return pid if "p2pchat.launch" in command_line(pid) else None


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll a condition of another process; fail after ``seconds`` with ``what``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        threading.Event().wait(0.05)


@contextmanager
def nodes(folder: Path, *indexes: int) -> Iterator[list[Node]]:
    """Homes with stored identities; whatever runs in them is ended at exit."""
    from tests.support.homes import make_home

    made = [Node(folder / f"home{index}") for index in indexes]
    for index, node in zip(indexes, made, strict=True):
        make_home(node.path, index, PASSWORD)
    try:
        yield made
    finally:
        for node in made:
            node.kill()
    assert [text for node in made if (text := complaints(node.path))] == [], "a vault left its place"


def befriend(a: Node, b: Node) -> None:
    """Exchange a card by file, add, accept; both daemons run. Returns when both say accepted."""
    card = a.path.parent / "friend.p2pcard"
    b.ok("contact", "card", "--out", str(card))
    a.ok("contact", "add", str(card))
    card.unlink()
    wait_for(lambda: bool(b.lines("contact", "requests")), seconds=20, what="the request to arrive")
    b.ok("contact", "accept", a.id)
    for node in (a, b):
        wait_for(
            lambda node=node: [c["state"] for c in node.lines("contact", "list")] == ["accepted"],  # type: ignore[misc]
            seconds=20,
            what="both to be accepted",
        )


class Follower(threading.Thread):
    """``recv --follow --json`` in a process of its own; ``seen`` grows as it prints."""

    def __init__(self, node: Node) -> None:
        super().__init__(daemon=True)
        self.seen: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [*P2PCHAT, "--json", "recv", "--follow"],
            env=node.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.start()

    def run(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(json.loads(line))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Sender(threading.Thread):
    """Sends numbered texts until told to stop; keeps the ids that the command line printed."""

    def __init__(self, node: Node, to: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.node, self.to, self.printed = node, to, list[str]()
        self.refused: list[str] = []
        self.random = random.Random(seed)
        self.ending = threading.Event()
        self.start()

    def run(self) -> None:
        number = 0
        while not self.ending.wait(self.random.uniform(0, 0.05)):
            number += 1
            done = self.node.run("--json", "send", self.to, f"text {number}")
            if done.returncode == 0:
                self.printed.append(json.loads(done.stdout)["message"])
            else:
                self.refused.append(done.stderr)
                self.ending.wait(0.2)

    def close(self) -> None:
        self.ending.set()
        self.join(60)
