"""One person of the demo: a temporary home and its daemon, driven over the control socket as a user's shell would."""

import os
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from p2pchat.commands.new_home import make_home
from p2pchat.errors import NoDaemon, TimedOut
from p2pchat.home import Home
from p2pchat.launch import daemonize
from p2pchat.launch.opening import Opening
from p2pchat.rpc.client import Client
from p2pchat.rpc.jsonlines import Json
from p2pchat.show import SHORT_ID_CHARS

START_S: Final = 30.0
SEEN_S: Final = 20.0  # far beyond what any step takes: a step that needs it has failed
STOP_S: Final = 5.0
_LISTEN: Final = "127.0.0.1:0"
_POLL_MS: Final = 200  # how soon Ctrl-C is noticed during a wait


class Node:
    """A person with a home at ``folder/name``; ``id`` is known once the home is made.

    ``check`` is called in every wait on an event; what it raises ends the wait.
    """

    def __init__(self, name: str, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        self.name: Final = name
        self.id = ""
        self.home: Final = Home(folder / name, folder / name)
        self._password: Final = secrets.token_urlsafe(16).encode()
        self._check: Final = check
        self._client: Final = Client(self.home.rpc_sock)
        self._cursor = 0  # of the last event that was looked at

    @property
    def short_id(self) -> str:
        return f"{self.id[:SHORT_ID_CHARS]}…"

    def make(self, primes: tuple[bytes, bytes]) -> None:
        """Make the home around the root key of ``primes``, with the light password cost."""
        self.id = make_home(self.home, primes, self._password, nickname=self.name, light=True).id

    def start(self) -> str:
        """Start the daemon; where it listens. Raises what ``daemonize.start`` does."""
        started = daemonize.start(self.home, Opening(self._password), _LISTEN, timeout_s=START_S)
        return str(cast(list[str], started["listen"])[0])

    def stop(self) -> None:
        """End the daemon, if need be by force, and wait until its last process has gone."""
        self._client.close()
        try:
            daemonize.stop(self.home, timeout_s=STOP_S)
        except NoDaemon:
            return
        except TimedOut:
            self._kill()

    def call(self, method: str, /, *, wait_s: float = 0.0, **params: object) -> dict[str, Json]:
        return self._client.call(method, wait_s=wait_s, **params)

    def sees(self, kind: str) -> dict[str, Json]:
        """Wait for the next event of this kind. Raises TimedOut where none comes in ``SEEN_S``."""
        deadline_s = time.monotonic() + SEEN_S
        while time.monotonic() < deadline_s:
            self._check()
            answer = self.call("event.next", since=self._cursor, all=True, limit=1, wait_ms=_POLL_MS)
            for event in cast(list[dict[str, Json]], answer["events"]):
                self._cursor = cast(int, event["cursor"])
                if event["type"] == kind:
                    return event
        raise TimedOut(f"{self.name} saw no {kind} within {SEEN_S:g} s", hint="p2pchat doctor")

    def log(self) -> list[str]:
        """The last lines that the daemon wrote to its log."""
        with suppress(OSError):
            return self.home.log_file.read_text(errors="replace").splitlines()[-20:]
        return []

    def _kill(self) -> None:
        """SIGKILL the launcher: its children end with their life pipe and free the lock last."""
        deadline_s = time.monotonic() + STOP_S
        while (pid := daemonize.running_pid(self.home)) is not None and time.monotonic() < deadline_s:
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
