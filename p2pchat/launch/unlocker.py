"""The launcher's side of the unlock child: it runs while vault and gate import."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from p2pchat.launch import dongles
from p2pchat.launch.opening import Opening
from p2pchat.launch.programs import Programs

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """What the launcher keeps so that a restart needs no password."""

    vault: bytes
    gate: bytes


class Unlocker:
    """One attempt. Its ``fileno`` becomes readable when there is a result to ``finish`` with.

    Where a dongle is named, its child answers straight into the unlock child: the launcher does not see the answer.
    """

    def __init__(self, own: Programs, file: Path, opening: Opening, environ: Mapping[str, str]) -> None:
        self._dongle: subprocess.Popen[bytes] | None = None
        words, answers = [str(file)], []
        if opening.dongle:
            self._dongle = dongles.start(own.dongle, opening.dongle, opening.pin, environ)
            assert self._dongle.stdout is not None
            answers = [self._dongle.stdout.fileno()]
        self._process = subprocess.Popen(
            [*own.unlock, *map(str, answers), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            process_group=0,
            cwd="/",
            pass_fds=answers,
        )
        if self._dongle is not None and self._dongle.stdout is not None:
            self._dongle.stdout.close()  # the unlock child's now
            self._dongle.stdout = None
        dongles.tell(self._process.stdin, opening.password)
        self._process.stdin = None

    def fileno(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def finish(self) -> Keys:
        """The keys. Raises the children's own error, or Bug where one ended without a word."""
        keys, words = self._process.communicate()
        if self._dongle is not None:
            _, complaint = self._dongle.communicate()
            if self._dongle.returncode != 0:
                raise dongles.told(complaint, self._dongle.returncode, "the helper of the dongle")
        if self._process.returncode == 0 and len(keys) == 2 * KEY_BYTES:
            return Keys(keys[:KEY_BYTES], keys[KEY_BYTES:])
        raise dongles.told(words, self._process.returncode, "unlocking")

    def end(self) -> None:
        """Kill what still runs."""
        for process in filter(None, (self._dongle, self._process)):
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in filter(None, (process.stdout, process.stderr)):
                pipe.close()
