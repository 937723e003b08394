"""Tells systemd how the daemon fares, where a unit of ``Type=notify`` runs it (sd_notify(3)).

One datagram a word to the socket that ``NOTIFY_SOCKET`` names; whoever started us without one hears nothing.
"""

import socket
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Final, Self

from p2pchat.errors import P2PChatError
from p2pchat.launch.report import Report, listening_on

VARIABLE: Final = "NOTIFY_SOCKET"


class Notifier:
    """``take`` removes the variable: the children are nobody's main process and have nothing to say."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> Self | None:
        address = environ.pop(VARIABLE, "")
        return cls(address) if address.startswith(("/", "@")) else None

    def tell(self, *assignments: str) -> None:
        """``NAME=value`` each. A service manager that does not listen is no reason to end."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto("\n".join(assignments).encode(), self._address)


class NotifyingReport:
    """Another report, and the same to systemd."""

    def __init__(self, inner: Report, notifier: Notifier) -> None:
        self._inner = inner
        self._notifier = notifier

    def ready(self, info: Mapping[str, object]) -> None:
        self._inner.ready(info)
        self._notifier.tell("READY=1", f"STATUS=listening on {listening_on(info)}")

    def ending(self) -> None:
        self._inner.ending()
        self._notifier.tell("STOPPING=1", "STATUS=committing and ending")

    def failed(self, error: P2PChatError) -> None:
        self._inner.failed(error)
        self._notifier.tell(f"STATUS={error.code}: {' '.join(error.message.split())}")
