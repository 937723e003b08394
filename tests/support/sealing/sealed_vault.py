"""The test mode "sealable vault": from the first answer on, the vault needs no network, no child and no other file.

An audit hook (PEP 578) ends the process at once, with exit status 86 and a file in the home that names the event, on
- any socket but AF_UNIX, and any name look-up;
- any child process, or another program in this one's place;
- ctypes, and loading a shared library by import;
- opening, listing, making, moving or removing a file outside the home and the Python that runs here.

Python reports these events from its own functions alone. SQLite's files are opened in C, unseen here: a test looks at
what the vault holds open instead (tests/e2e/test_sealed_vault.py).
"""

import contextlib
import os
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Final

STATUS: Final = 86
SEALED: Final = "vault.sealed"  # in the home: process ids of the vaults that were sealed
BROKEN: Final = "vault.broke-its-seal"  # in the home: what they did after that
PLANT: Final = "SEALED_VAULT_PLANT"  # in the environment: Python that a sealed vault runs when it answers daemon.status
_NAMES: Final = frozenset({"getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo", "getservbyname"})
_CHILDREN: Final = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn"}
)
_MOVES: Final = frozenset({"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"})  # of two paths
_FILES: Final = _MOVES | frozenset(
    {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rmdir", "os.remove", "os.truncate", "os.chmod", "os.chown"}
)
_DEVICES: Final = frozenset({"/dev/null", "/dev/urandom"})  # bit buckets and randomness; any sandbox has both
_LIBRARIES: Final = (".so", ".dylib", ".pyd")


class Seal:
    """Judges audit events; ``broken_by`` says why one is forbidden."""

    def __init__(self, home: Path) -> None:
        prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}  # noqa: PTH120
        package = Path(sys.modules["p2pchat"].__file__ or "").parent if "p2pchat" in sys.modules else None
        inside = [str(home), *prefixes, *([str(package)] if package else []), str(Path(__file__).parent)]
        self._inside = tuple(os.path.realpath(place) for place in inside)
        self._listed = {os.path.realpath(place) for place in sys.path}  # imports look there; not below
        self._busy = threading.local()

    def broken_by(self, event: str, args: tuple[object, ...]) -> str | None:
        if getattr(self._busy, "judging", False):
            return None
        self._busy.judging = True
        try:
            return self._judged(event, args)
        finally:
            self._busy.judging = False

    def _judged(self, event: str, args: tuple[object, ...]) -> str | None:
        family, _, name = event.partition(".")
        if family == "socket":
            return self._socket(name, args)
        if event in _CHILDREN:
            return "a child process"
        if family == "ctypes" or (event == "import" and args[0] in {"ctypes", "_ctypes"}):
            return "ctypes"
        if event == "import":
            library = isinstance(args[1], str) and args[1].endswith(_LIBRARIES)
            return "a shared library" if library else None
        if event in _FILES:
            return self._file(event, args)
        return None

    def _socket(self, name: str, args: tuple[object, ...]) -> str | None:
        if name in _NAMES:
            return "a name look-up"
        if name == "__new__":
            return None if args[1] == socket.AF_UNIX else "a network socket"
        if name in {"connect", "bind", "sendto", "sendmsg"}:
            return None if getattr(args[0], "family", None) == socket.AF_UNIX else "a network socket"
        return None

    def _file(self, event: str, args: tuple[object, ...]) -> str | None:
        paths = (
            args[:2] if event in {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"} else args[:1]
        )
        for path in paths:
            if isinstance(path, int) or path is None:
                continue  # a descriptor that is open already, or the current directory's entry in sys.path
            real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type] # str, bytes or PathLike
            listing = event in {"os.listdir", "os.scandir"} and real in self._listed
            if real not in _DEVICES and not listing and not self._is_inside(real):
                return f"a file outside: {real}"
        return None

    def _is_inside(self, real: str) -> bool:
        return any(real == place or real.startswith(place + os.sep) for place in self._inside)


def seal(home: Path) -> None:
    """From now on: no network, no child, no library, no file outside. There is no way back."""
    _note(home, SEALED, f"{os.getpid()}\n")
    judge = Seal(home)

    def hook(event: str, args: tuple[object, ...]) -> None:
        broken = judge.broken_by(event, args)
        if broken is not None:
            _end(home, f"{broken}: {event}{args!r}")

    sys.addaudithook(hook)


def _end(home: Path, what: str) -> None:
    stack = "".join(traceback.format_stack(limit=24)[:-2])
    report = f"the sealed vault (process {os.getpid()}) touched {what}\n{stack}\n"
    with contextlib.suppress(OSError):
        _note(home, BROKEN, report)
        os.write(2, report.encode(errors="replace"))
    os._exit(STATUS)


def _note(home: Path, name: str, text: str) -> None:
    fd = os.open(home / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, text.encode(errors="replace"))
    os.close(fd)


def complaints(home: Path) -> str:
    """What sealed vaults of that home did; empty where all is well."""
    with contextlib.suppress(FileNotFoundError):
        return (home / BROKEN).read_text()
    return ""


def seal_at_first_answer(home: Path) -> None:
    """In a process that will run ``p2pchat.vault``: seal it between its first answer and the sending of that."""
    try:
        from p2pchat.rpc.conversation import Conversation

        send = Conversation._send
    except (ImportError, AttributeError):  # the source has changed: every test says so
        _note(home, BROKEN, f"nobody could seal the vault:\n{traceback.format_exc()}\n")
        raise
    sealed = False

    async def sealing(self: Conversation, lines: bytes) -> None:
        nonlocal sealed
        if not sealed:
            seal(home)
            sealed = True
        if PLANT in os.environ and b'"started_ms"' in lines:
            exec(os.environ[PLANT])
        await send(self, lines)

    Conversation._send = sealing  # type: ignore[method-assign]
