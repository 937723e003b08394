"""The launcher's side of the unlock child: it runs while vault and gate import."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from p2pchat.errors import Bug, from_json

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """What the launcher keeps so that a restart needs no password."""

    vault: bytes
    gate: bytes


class Unlocker:
    """One attempt. Its ``fileno`` becomes readable when there is a result to ``finish`` with."""

    def __init__(self, command: Sequence[str], file: Path, password: bytes, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*command, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            process_group=0,
            cwd="/",
        )
        assert self._process.stdin is not None
        self._process.stdin.write(password)  # a pipe holds far more than the longest password
        with suppress(BrokenPipeError):  # it ended before it read: finish() says why
            self._process.stdin.close()
        self._process.stdin = None

    def fileno(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def finish(self) -> Keys:
        """The keys. Raises the child's own error, or Bug where it ended without one."""
        keys, words = self._process.communicate()
        if self._process.returncode == 0 and len(keys) == 2 * KEY_BYTES:
            return Keys(keys[:KEY_BYTES], keys[KEY_BYTES:])
        try:
            shape = json.loads(words)
        except ValueError:
            shape = None
        if not isinstance(shape, dict):
            lines = words.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise Bug(f"unlocking ended with status {self._process.returncode}: {lines[-1]}")
        raise from_json(shape)

    def end(self) -> None:
        """Kill it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
