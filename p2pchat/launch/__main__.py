"""The launcher: ``python -m p2pchat.launch``, started by ``p2pchat daemon start`` and ``daemon run``.

What opens the home comes on stdin, up to end of file (opening.py). Without ``--report`` it speaks to the terminal.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

from p2pchat import config, local_socket
from p2pchat.errors import P2PChatError
from p2pchat.hardening import refuse_dumps
from p2pchat.home import Home
from p2pchat.launch import lock, programs
from p2pchat.launch.backoff import Backoff
from p2pchat.launch.notify import Notifier, NotifyingReport
from p2pchat.launch.opening import MOST_BYTES, Opening
from p2pchat.launch.report import PipeReport, Report, TerminalReport
from p2pchat.launch.supervisor import Supervisor, Task
from p2pchat.launch.unlocker import Unlocker


def main(words: list[str] | None = None, own: programs.Programs | None = None, backoff: Backoff | None = None) -> int:
    """Tests give programs and delays of their own."""
    options = _options(words)
    if options.detach and os.fork() > 0:
        os._exit(0)  # the starter's wait ends here; the daemon is nobody's child and no session's leader
    os.umask(0o077)
    refuse_dumps()
    notifier = Notifier.take(os.environ)
    report: Report = TerminalReport(as_json=options.json)
    if options.report is not None:
        report = PipeReport(options.report)
    elif notifier is not None:
        report = NotifyingReport(report, notifier)
    try:
        return launch(
            Home.find(None, os.environ), own or programs.own(), tuple(options.listen), report, backoff or Backoff()
        )
    except P2PChatError as error:
        report.failed(error)
        return error.exit_status


def launch(home: Home, own: programs.Programs, listen: tuple[str, ...], report: Report, backoff: Backoff) -> int:
    """Run the daemon of ``home`` until it ends; what opens it is on stdin. Returns the exit status.

    Raises what keeps it from starting at all: the home's own errors, AlreadyRunning, BadFormat of the configuration.
    """
    home.check()
    settings = config.load(home.config_file)
    lock_fd = lock.acquire(home.lock_file)
    home.remove_leftovers()
    environ = programs.environ(home.environ(os.environ))
    os.chdir("/")
    with _listening(home.rpc_sock) as rpc, _listening(home.gate_sock) as gate:
        task = Task(
            programs=own,
            environ=environ,
            rpc=rpc,
            gate=gate,
            rpc_path=home.rpc_sock,
            lock_fd=lock_fd,
            log_file=home.log_file,
            listen=listen,
            relock_on_crash=settings.relock_on_crash,
            backoff=backoff,
        )
        unlocker = Unlocker(own, home.unlock_file, _opening(), environ)
        return Supervisor(task, unlocker, report).run()


@contextmanager
def _listening(path: Path) -> Iterator[socket]:
    with closing(local_socket.listen(path)) as listener:
        yield listener
        path.unlink(missing_ok=True)


def _opening() -> Opening:
    told = sys.stdin.buffer.read(MOST_BYTES)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    return Opening.decode(told)


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="p2pchat.launch", description=__doc__)
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    parser.add_argument("--report", type=int, metavar="FD", help="say on this descriptor how it went")
    parser.add_argument("--json", action="store_true", help="objects instead of words on the terminal")
    parser.add_argument("--listen", action="append", default=[], metavar="HOST:PORT")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
