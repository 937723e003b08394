"""Stands for vault or gate: ties itself to the launcher as they do, and behaves as a file in the home says.

Usage: fake_child.py NAME CONTROL BOUNDARY LISTENER. It appends a line to ``NAME.started`` (pid and key) when it
has its key. ``NAME.behaviour`` holds one word: ``serve`` (where there is no file), ``die-early``, ``refuse``,
``corrupt``, ``bug``, ``stubborn`` (does not end when asked) or ``stop`` (asks for the daemon's end once somebody
connects).
"""

import os
import select
import signal
import sys
from pathlib import Path

from p2pchat.errors import Corrupt, Failed
from p2pchat.lifeline import Lifeline


def main(name: str, argv: list[str]) -> None:
    home = Path(os.environ["P2PCHAT_HOME"])
    line = Lifeline.inherit(argv)
    with line.reporting():
        unlocked = line.receive_key()
        behaviour = home / f"{name}.behaviour"
        word = behaviour.read_text() if behaviour.exists() else "serve"
        with (home / f"{name}.started").open("a") as file:
            file.write(f"{os.getpid()} {unlocked.key.hex()}\n")
        if word == "die-early":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "refuse":
            raise ExceptionGroup("as trio wraps it", [Failed("the port 7000 is in use", hint="--listen")])
        if word == "corrupt":
            raise Corrupt("the store is damaged", hint="p2pchat doctor")
        if word == "bug":
            raise ZeroDivisionError
        line.ready({} if name == "vault" else {"listen": list(unlocked.listen) or ["127.0.0.1:7000"]})
        if word == "stop":
            line.listener.accept()
            line.request_stop()
        if word == "stubborn":
            select.select([], [], [])
        select.select([line, line.boundary], [], [])
        (home / f"{name}.ended").touch()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
