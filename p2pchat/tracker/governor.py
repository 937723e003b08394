"""Keeps a tracker's traffic under a line: the busier it is, the longer its clients are asked to wait. Pure.

The answer to each announce and refresh bears one byte, 2^(x/4) minutes until the next (``refresh_s``). What it asks for
shows only hours later, so a governor that steered by what came would swing between too much and nothing. This one
reckons: so many live records, refreshed every so often, make so many bytes; what is not refreshes is measured.
"""

from typing import Final

from p2pchat.wire.tracker_packets import Refresh, Refreshed, refresh_s

PERIOD_S: Final = 60
START: Final = 28  # 128 minutes, the default schedule; never shorter
MOST: Final = 43  # a day
IP_UDP_BYTES: Final = 28  # headers of a packet, IPv4
REFRESH_BYTES: Final = Refresh.size() + Refreshed.size() + 2 * IP_UDP_BYTES
_SHARE: Final = 0.9  # of the line that is aimed at
_MEMORY: Final = 0.8  # of what was measured, kept from one period to the next


class Governor:
    """``line_bytes_s``: what may go in and out together, headers included."""

    def __init__(self, line_bytes_s: float, now_s: float) -> None:
        self.refresh = START
        self.bytes_s = 0.0  # all that came and went in the last whole period
        self._line_bytes_s = line_bytes_s
        self._began_s = now_s
        self._bytes = 0
        self._refresh_bytes = 0
        self._other_bytes_s = 0.0

    def count(self, asked: int, answered: int, *, refresh: bool) -> None:
        """A packet of so many bytes came; one of ``answered`` (0: none) went."""
        total = asked + IP_UDP_BYTES + (answered + IP_UDP_BYTES if answered else 0)
        self._bytes += total
        if refresh:
            self._refresh_bytes += total

    def look(self, now_s: float, live: int) -> int:
        """The byte to answer with from now on. ``live``: records that are being refreshed. Call it now and then."""
        passed_s = now_s - self._began_s
        if passed_s >= PERIOD_S:
            self.bytes_s = self._bytes / passed_s
            other_bytes_s = (self._bytes - self._refresh_bytes) / passed_s
            self._other_bytes_s = _MEMORY * self._other_bytes_s + (1 - _MEMORY) * other_bytes_s
            self._began_s, self._bytes, self._refresh_bytes = now_s, 0, 0
            self.refresh = self._reckoned(live)
        return self.refresh

    def _reckoned(self, live: int) -> int:
        room_bytes_s = _SHARE * self._line_bytes_s - self._other_bytes_s
        for code in range(START, MOST):
            if live * REFRESH_BYTES <= room_bytes_s * refresh_s(code):
                return code
        return MOST
