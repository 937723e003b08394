"""Start the daemon, in the background or in the place of this process, and end it."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from p2pchat.config import split_address
from p2pchat.errors import Bug, NoDaemon, P2PChatError, TimedOut, Usage, from_json
from p2pchat.home import Home
from p2pchat.launch import lock, log, programs
from p2pchat.launch.opening import Opening

START_S: Final = 150.0  # unlocking on a slow machine and READY_S
STOP_S: Final = 10.0  # far more than children get (2 s) before they are killed
REPORT_BYTES: Final = 64 * 1024
_POLL_S: Final = 0.02


def start(home: Home, opening: Opening, listen: str | None = None, *, timeout_s: float = START_S) -> dict[str, object]:
    """Start the daemon and wait until it serves: ``{"pid", "listen": [HOST:PORT...], "socket"}``.

    What opens the home travels by pipe. Raises what the daemon reports (WrongPassword, AlreadyRunning, Corrupt ...),
    TimedOut after ``timeout_s``, Bug where it ended without a word; nothing of it runs on then.
    """
    _refuse(home, listen)
    reading, writing = os.pipe()
    log_fd = log.opened(home.log_file, rotate=running_pid(home) is None)
    try:
        process = subprocess.Popen(
            [*_command(listen), "--detach", "--report", str(writing)],
            stdin=subprocess.PIPE,
            stdout=log_fd,
            stderr=log_fd,
            pass_fds=[writing],
            env=programs.environ(home.environ(os.environ)),
            start_new_session=True,
        )
    except BaseException:  # an interrupt, too, leaves no descriptor
        os.close(reading)
        raise
    finally:
        os.close(writing)
        os.close(log_fd)
    with open(reading, "rb", buffering=0) as report:  # noqa: PTH123 - a descriptor, not a path
        try:
            process.communicate(opening.encode())
            return _told(report.fileno(), home, timeout_s)
        except (KeyboardInterrupt, TimedOut):
            with suppress(P2PChatError):
                stop(home)
            raise


def run(home: Home, opening: Opening, listen: str | None = None, *, as_json: bool = False) -> NoReturn:
    """Become the daemon: this process is replaced by the launcher, which keeps its pid, terminal and signals.

    Raises as ``start`` does for what can be seen before; later errors are printed and set the exit status.
    """
    _refuse(home, listen)
    reading, writing = os.pipe()
    os.write(writing, opening.encode())  # a pipe holds far more
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
    sys.stdout.flush()
    sys.stderr.flush()
    command = [*_command(listen), *(["--json"] if as_json else [])]
    os.execve(command[0], command, programs.environ(home.environ(os.environ)))  # noqa: S606 - no shell wanted


def running_pid(home: Home) -> int | None:
    """The launcher's pid while a daemon runs in this home, else None.

    0 for moments: before the pid is known, and while the children of a killed launcher end.
    """
    return lock.holder(home.lock_file)


def stop(home: Home, *, timeout_s: float = STOP_S) -> int:
    """Ask the daemon to end, and wait until its last process has. Returns its pid. Raises NoDaemon, TimedOut."""
    first = pid = running_pid(home)
    if pid is None:
        raise NoDaemon(f"no daemon is running in {home.data_dir}", hint="p2pchat daemon start")
    deadline_s = time.monotonic() + timeout_s
    asked = False
    while pid is not None:
        if pid and not asked:
            with suppress(ProcessLookupError):  # killed: its children are ending and still hold the lock
                os.kill(pid, signal.SIGTERM)
            asked, first = True, pid
        if time.monotonic() > deadline_s:
            raise TimedOut(f"the daemon (process {first}) did not end within {timeout_s:g} s", hint=f"kill -9 {first}")
        time.sleep(_POLL_S)
        pid = running_pid(home)
    return first or 0


def _refuse(home: Home, listen: str | None) -> None:
    home.check()
    if listen is not None and split_address(listen) is None:
        raise Usage(f"--listen takes HOST:PORT, not {listen!r}", hint="p2pchat daemon start --listen 0.0.0.0:0")


def _command(listen: str | None) -> list[str]:
    return [*programs.python("p2pchat.launch"), *(["--listen", listen] if listen is not None else [])]


def _told(fd: int, home: Home, timeout_s: float) -> dict[str, object]:
    """What the launcher reports. Raises the error that it reports, TimedOut, or Bug at end of file without a line."""
    deadline_s = time.monotonic() + timeout_s
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline_s - time.monotonic())):
                raise TimedOut(f"the daemon was not ready within {timeout_s:g} s", hint=f"see {home.log_file}")
            chunk = os.read(fd, REPORT_BYTES)
            if not chunk:
                raise Bug("the daemon ended without saying why", hint=f"see {home.log_file}")
            line += chunk
    message = json.loads(line)
    if "error" in message:
        raise from_json(message["error"])
    ready: dict[str, object] = message["ready"]
    return ready
