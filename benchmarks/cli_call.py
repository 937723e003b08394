"""W6: whole calls of ``p2pchat``, beside a click program that sends one line over a Unix socket and prints the answer.

``send`` answers when its message is on the disk, so the server beside it commits one row before it answers.
Source of the click program: the project's reference harness ``limits_cli.py``.
"""

import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, times_limit
from benchmarks.pair import Pair

RUNS: Final = 15
_PROGRAM: Final = """\
import click
@click.group()
def cli(): pass
@cli.command()
@click.argument('who')
@click.argument('text')
def send(who, text):
    import socket
    s = socket.socket(socket.AF_UNIX)
    s.connect({path!r})
    s.sendall((who + text).encode())
    click.echo(s.recv(65536))
cli()
"""


def cli_call(pair: Pair, folder: Path) -> list[Figure]:
    """Process start to exit, in turns; the first turn warms the caches and does not count."""
    with closing(_rows(folder / "row.db")) as rows:
        status = _pairing(pair, folder / "echo", ["status"], lambda: None)
        send = _pairing(pair, folder / "commit", ["send", pair.b.id, "hello"], lambda: _commit(rows))
    floor = "against a click program that sends one line over a Unix socket"
    return [
        Figure("W6", "p2pchat status", "ms", *status, times_limit(1.3), floor),
        Figure("W6", "p2pchat send", "ms", *send, times_limit(1.3), f"{floor}, whose server commits one row"),
    ]


def _pairing(pair: Pair, path: Path, verb: Sequence[str], act: Callable[[], None]) -> tuple[tuple[float, ...], float]:
    """(milliseconds of our calls, the median of the others)."""
    program, echo = path.with_suffix(".py"), path.with_suffix(".sock")
    program.write_text(_PROGRAM.format(path=str(echo)))
    _serve_echo(echo, act)
    script = Path(sys.executable).parent / "p2pchat"
    ours = [str(script)] if script.exists() else [sys.executable, "-m", "p2pchat"]
    theirs_ms, ours_ms = list[float](), list[float]()
    for _ in range(RUNS + 1):
        theirs_ms.append(_run([sys.executable, str(program), "send", pair.b.id, "hello"], pair))
        ours_ms.append(_run([*ours, *verb], pair))
    return tuple(ours_ms[1:]), statistics.median(theirs_ms[1:])


def _rows(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE m (id INTEGER PRIMARY KEY, body BLOB)")
    return db


def _commit(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO m (body) VALUES (?)", (bytes(300),))  # a statement of its own is a transaction


def _run(command: Sequence[str], pair: Pair) -> float:
    environ = pair.a.home.environ(os.environ)
    began = time.perf_counter()
    subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3


def _serve_echo(path: Path, act: Callable[[], None]) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)

    def serve() -> None:
        while True:
            caller, _ = listener.accept()
            with caller:
                line = caller.recv(65536)
                act()
                caller.sendall(line)

    threading.Thread(target=serve, daemon=True).start()
