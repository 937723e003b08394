"""The carrier seam: an ordered stream of bytes between two gates, whatever it looks like from outside.

Handshake messages are cut out of it by ``link.framing``, records by ``link.records``; a carrier knows neither.
"""

from typing import Protocol


class Carrier(Protocol):
    """One connection. Its name (``ws``, ``raw``, later ``poll``, ``tls``) is what ``contact show`` prints."""

    name: str

    async def send(self, data: bytes) -> None:
        """Write all of it. Raises ConnectionLost."""

    async def receive(self, most: int) -> bytes:
        """The next bytes, at most ``most``; empty once the other side has ended.

        Raises ConnectionLost, or another P2PChatError for what the other side may not say.
        """

    async def finish(self) -> None:
        """Say that nothing more will be sent; what was sent still arrives."""

    async def aclose(self) -> None:
        """Let go of the connection: at once, but for the moment that an orderly end takes. Raises nothing."""
