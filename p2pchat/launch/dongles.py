"""Ask a dongle by its short-lived child: the launcher for the daemon, the command line for itself."""

import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Final

from p2pchat.errors import Bug, DongleMissing, P2PChatError, from_json

SECRET_BYTES: Final = 32


def start(
    command: Sequence[str], spec: str, pin: str, environ: Mapping[str, str], *, create: bool = False
) -> "subprocess.Popen[bytes]":
    """The child, already asked; its stdout gives the answer."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd="/"
    )
    tell(process.stdin, json.dumps({"spec": spec, "pin": pin, "create": create}).encode())
    process.stdin = None
    return process


def ask(command: Sequence[str], spec: str, pin: str, environ: Mapping[str, str], *, create: bool = False) -> bytes:
    """32 bytes. Raises what the child says: DongleMissing, WrongPassword and Locked (its PIN), Corrupt, Failed."""
    process = start(command, spec, pin, environ, create=create)
    try:
        secret, words = process.communicate()
    except BaseException:  # an interrupt leaves no child that waits for a touch
        process.kill()
        process.communicate()
        raise
    if process.returncode == 0 and len(secret) == SECRET_BYTES:
        return secret
    raise told(words, process.returncode, "the helper of the dongle")


def told(words: bytes, status: int, who: str) -> P2PChatError:
    """The error that a child wrote to its stderr, or a Bug where it ended without one."""
    if status == -signal.SIGALRM:
        return DongleMissing("the dongle did not answer in time", hint="plug it in anew, and try again")
    lines = words.decode(errors="replace").strip().splitlines() or ["no reason given"]
    try:
        shape = json.loads(lines[-1])
    except ValueError:
        shape = None
    if isinstance(shape, dict):
        return from_json(shape)
    return Bug(f"{who} ended with status {status}: {lines[-1]}")


def tell(pipe: IO[bytes] | None, data: bytes) -> None:
    """Write what a pipe holds easily, and close it."""
    assert pipe is not None
    try:
        pipe.write(data)
        pipe.close()
    except BrokenPipeError:  # it ended before it read: its own words say why
        pass
