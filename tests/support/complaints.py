"""What a user is told when something is refused: one sentence, one hint, one exit status, and never a traceback."""

import json
import subprocess
from collections.abc import Sequence

from tests.support.daemons import P2PCHAT, Node

STATUS = {
    "ALREADY_RUNNING": 1,
    "AMBIGUOUS": 5,
    "BAD_FORMAT": 1,
    "CORRUPT": 6,
    "DISK_FULL": 1,
    "EXISTS": 1,
    "FAILED": 1,
    "FORBIDDEN": 10,
    "LOCKED": 4,
    "NO_DAEMON": 3,
    "NOT_FOUND": 5,
    "TIMEOUT": 7,
    "UNTRUSTED": 6,
    "USAGE": 2,
    "WRONG_PASSWORD": 4,
}


def refused(
    node: Node, code: str, *words: str | bytes, says: str = "", stdin: bytes = b"", program: Sequence[str] = P2PCHAT
) -> str:
    """Run a verb that must fail with ``code`` and a message that holds ``says``; the message."""
    done = subprocess.run(
        [*program, "--json", *words], env=node.environ, input=stdin, capture_output=True, timeout=60, check=False
    )
    told = f"{words!r}: exit {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}"
    assert b"Traceback" not in done.stderr, told
    (line,) = done.stderr.decode().splitlines()
    error = json.loads(line)["error"]
    assert (error["code"], done.returncode) == (code, STATUS[code]), told
    assert error["message"] and error["hint"], told
    assert says in error["message"], told
    return str(error["message"])
