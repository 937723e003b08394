"""A child's end of what ties it to the launcher: the control socket, and the sockets that it inherits.

The launcher starts ``python -m p2pchat.vault`` and ``python -m p2pchat.firewall`` with three descriptor
numbers in argv (control, boundary, listener) and the home in the environment. The control socket carries one
JSON object a line:

    launcher -> child   {"key": HEX, "listen": [HOST:PORT...]}     once, when the home is unlocked
    child -> launcher   {"ready": {...}}                           once; a gate's holds {"listen": [...]}
                        {"error": {...}}                           what a user can mend; the child then ends
                        {"stop": true}                             the user asked the daemon to end

End of file is the life pipe: the launcher has gone, or wants its children gone, and the child commits and ends.
End of file on the boundary means the same: its peer has ended. Standard library only, and blocking: a child
receives its key after its imports and before its event loop; what it sends always fits the socket's buffer.
"""

import json
import signal
import socket
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from p2pchat.errors import BadFormat, Bug, P2PChatError
from p2pchat.hardening import refuse_dumps

LINE_BYTES: Final = 64 * 1024
EXPIRE_S: Final = 3  # a little more than the launcher grants before it kills


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What a child needs from the launcher before it can serve."""

    key: bytes  # 32 bytes, this child's own
    listen: tuple[str, ...]  # HOST:PORT that ``--listen`` asked for; empty: the configuration decides


@dataclass(frozen=True, slots=True)
class Lifeline:
    control: socket.socket
    boundary: socket.socket  # vault and gate hold the two ends of one socket pair
    listener: socket.socket  # rpc.sock for the vault, gate.sock for the gate; bound and listening

    @classmethod
    def inherit(cls, argv: Sequence[str] | None = None) -> "Lifeline":
        """Take the descriptors that ``argv`` (without the program's name) numbers. Raises BadFormat otherwise."""
        words = sys.argv[1:] if argv is None else argv
        if len(words) != 3 or not all(word.isdecimal() for word in words):
            raise BadFormat("this program is started by the daemon only", hint="p2pchat daemon start")
        try:
            control, boundary, listener = (socket.socket(fileno=int(word)) for word in words)
        except OSError as error:
            raise BadFormat("this program is started by the daemon only", hint="p2pchat daemon start") from error
        refuse_dumps()  # what comes next is a key
        return cls(control, boundary, listener)

    def fileno(self) -> int:
        """The descriptor that becomes readable when this child has to end: nothing comes after the key."""
        return self.control.fileno()

    def receive_key(self) -> Unlocked:
        """Wait for the key, without bound: a person may be typing a PIN. Ends with the launcher."""
        line = _read_line(self.control)
        if line is None:
            raise SystemExit(0)
        orders = json.loads(line)
        return Unlocked(bytes.fromhex(orders["key"]), tuple(orders["listen"]))

    def ready(self, info: Mapping[str, object]) -> None:
        """Say that this child serves. ``info`` is ``{}`` for a vault and ``{"listen": [...]}`` for a gate."""
        self._say({"ready": dict(info)})

    def request_stop(self) -> None:
        """Ask the launcher to end the daemon; end of file on the control socket follows."""
        self._say({"stop": True})

    def expire(self, seconds: int = EXPIRE_S) -> None:
        """Call at end of file: a child that hangs while it ends is killed, also where no launcher is left to do it."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Run a child's life: an error inside goes to the launcher, and the process ends with its exit status.

        A P2PChatError, alone or in an exception group of trio's, is told as it is; everything else is a bug,
        whose traceback goes to the log (stderr).
        """
        try:
            yield
        except (Exception, BaseExceptionGroup) as raised:  # noqa: BLE001 - the outermost frame of a process
            error = _expected(raised)
            if error is None:
                traceback.print_exception(raised)
                error = Bug(f"{type(raised).__name__} in {_program()}; the log has the traceback")
            self._say({"error": error.as_json()})
            raise SystemExit(error.exit_status) from None

    def _say(self, message: Mapping[str, object]) -> None:
        try:
            self.control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return  # the launcher has gone: end of file says what to do next


def _program() -> str:
    package = getattr(sys.modules["__main__"], "__package__", None)
    return str(package or "a child process")


def _expected(raised: BaseException) -> P2PChatError | None:
    """The first expected error, unless something unexpected stands beside it."""
    if isinstance(raised, P2PChatError):
        return None if raised.code == "BUG" else raised
    if not isinstance(raised, BaseExceptionGroup):
        return None
    inner = [_expected(error) for error in raised.exceptions]
    return inner[0] if all(error is not None for error in inner) else None


def _read_line(sock: socket.socket) -> bytes | None:
    """One line without its end, or None at end of file. Reads not a byte beyond it."""
    line = bytearray()
    while not line.endswith(b"\n"):
        try:
            byte = sock.recv(1)
        except ConnectionError:
            return None
        if not byte or len(line) > LINE_BYTES:
            return None
        line += byte
    return bytes(line[:-1])
