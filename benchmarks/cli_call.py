"""W6: a whole ``p2pchat send``, beside a click program that sends one line over a Unix socket and prints the answer.

Source of the click program: the project's reference harness ``limits_cli.py``.
"""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
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
    echo = folder / "echo.sock"
    program = folder / "echo.py"
    program.write_text(_PROGRAM.format(path=str(echo)))
    _serve_echo(echo)
    script = Path(sys.executable).parent / "p2pchat"
    ours = [str(script)] if script.exists() else [sys.executable, "-m", "p2pchat"]
    theirs_ms, ours_ms = list[float](), list[float]()
    for _ in range(RUNS + 1):
        theirs_ms.append(_run([sys.executable, str(program), "send", pair.b.id, "hello"], pair))
        ours_ms.append(_run([*ours, "send", pair.b.id, "hello"], pair))
    limit = statistics.median(theirs_ms[1:])
    note = "against a click program that sends one line over a Unix socket"
    return [Figure("W6", "p2pchat send", "ms", tuple(ours_ms[1:]), limit, times_limit(1.5), note)]


def _run(command: Sequence[str], pair: Pair) -> float:
    environ = pair.a.home.environ(os.environ)
    began = time.perf_counter()
    subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3


def _serve_echo(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)

    def serve() -> None:
        while True:
            caller, _ = listener.accept()
            with caller:
                caller.sendall(caller.recv(65536))

    threading.Thread(target=serve, daemon=True).start()
