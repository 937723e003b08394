"""Vault and gate as the launcher sees them: started together, watched by their control sockets, ended together."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from typing import Final

from p2pchat.errors import Failed, P2PChatError, from_json
from p2pchat.launch.programs import Programs
from p2pchat.launch.unlocker import Keys

LINE_BYTES: Final = 64 * 1024
CHUNK_BYTES: Final = 4096


@dataclass(slots=True, eq=False)
class Child:
    """One process and what it has said so far (``p2pchat.lifeline`` describes the lines)."""

    name: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    ready: Mapping[str, object] | None = None
    error: P2PChatError | None = None
    wants_stop: bool = False
    ended: bool = False
    killed: bool = False  # by us, because it did not end in time
    _unread: bytearray = field(default_factory=bytearray)

    def fileno(self) -> int:
        return self.control.fileno()

    def send(self, message: Mapping[str, object]) -> None:
        try:
            self.control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return  # it has ended; end of file says so

    def read(self) -> None:
        """Take what has arrived. Sets ``ended`` at end of file, or where the child talks nonsense."""
        try:
            chunk = self.control.recv(CHUNK_BYTES)
        except OSError:
            chunk = b""
        self._unread += chunk
        *lines, rest = bytes(self._unread).split(b"\n")
        self._unread = bytearray(rest)
        sane = len(rest) <= LINE_BYTES and all(self._take(line) for line in lines)
        self.ended = self.ended or not chunk or not sane

    def _take(self, line: bytes) -> bool:
        try:
            message = json.loads(line)
        except ValueError:
            return False
        match message:
            case {"ready": dict(info)}:
                self.ready = info
            case {"error": dict(shape)}:
                self.error = self.error or from_json(shape)
            case {"stop": True}:
                self.wants_stop = True
            case _:
                return False
        return True

    def fate(self) -> str:
        """How it ended, in words."""
        status = self.process.returncode
        if status is not None and status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"


@dataclass(frozen=True, slots=True)
class Crew:
    """Both children of one start, in the order in which they started."""

    vault: Child
    gate: Child

    @classmethod
    def start(
        cls,
        programs: Programs,
        *,
        rpc: socket.socket,
        gate: socket.socket,
        environ: Mapping[str, str],
        lock_fd: int,
    ) -> "Crew":
        """Start both on a new boundary. They inherit the lock and, by number in argv, their sockets."""
        left, right = socket.socketpair()
        with left, right:
            vault = _spawn("vault", programs.vault, left, rpc, environ, lock_fd)
            return cls(vault, _spawn("gate", programs.gate, right, gate, environ, lock_fd))

    @property
    def children(self) -> tuple[Child, Child]:
        return self.vault, self.gate

    @property
    def ready(self) -> bool:
        return all(child.ready is not None for child in self.children)

    @property
    def error(self) -> P2PChatError | None:
        return next((child.error for child in self.children if child.error is not None), None)

    @property
    def culprit(self) -> Child:
        """Whose end ended the other: one that ended badly and was not killed by us, if there is one."""

        def innocence(child: Child) -> tuple[bool, bool]:
            return child.killed, child.process.returncode == 0

        return min(self.children, key=innocence)

    def hand_over(self, keys: Keys, listen: Sequence[str]) -> None:
        for child, key in ((self.vault, keys.vault), (self.gate, keys.gate)):
            child.send({"key": key.hex(), "listen": list(listen)})

    def end(self, grace_s: float) -> None:
        """End of file to both; SIGKILL to what still runs after ``grace_s``. Hears what they say until then."""
        for child in self.children:
            try:
                child.control.shutdown(socket.SHUT_WR)
            except OSError:
                child.ended = True
        deadline_s = time.monotonic() + grace_s
        with DefaultSelector() as selector:
            for child in self.children:
                selector.register(child, EVENT_READ, child)
            while selector.get_map() and (left_s := deadline_s - time.monotonic()) > 0:
                for key, _ in selector.select(left_s):
                    key.data.ended = False
                    key.data.read()
                    if key.data.ended:
                        selector.unregister(key.data)
        for child in self.children:
            _reap(child)


def _reap(child: Child) -> None:
    if not child.ended:
        child.process.kill()
        child.killed = True
    try:
        child.process.wait(1.0)  # it has closed its socket, so it is about to end or has ended
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.killed = True
        child.process.wait()
    child.control.close()


def _spawn(
    name: str,
    command: Sequence[str],
    boundary: socket.socket,
    listener: socket.socket,
    environ: Mapping[str, str],
    lock_fd: int,
) -> Child:
    ours, theirs = socket.socketpair()
    with theirs:
        numbers = [theirs.fileno(), boundary.fileno(), listener.fileno()]
        try:
            process = subprocess.Popen(
                [*command, *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                pass_fds=[*numbers, lock_fd],
                env=environ,
                process_group=0,  # a Ctrl-C at the terminal reaches the launcher alone, which ends them in order
                cwd="/",
            )
        except OSError as error:  # no process, memory or descriptor to be had: perhaps in a moment
            ours.close()
            raise Failed(
                f"cannot start the {name}: {error.strerror}", hint="end some programs, then try again"
            ) from error
    return Child(name, process, ours)
