"""Words of the command line that several verbs take, checked as they are parsed."""

import math
import re
from collections.abc import Iterable
from typing import Any, Final

import click

from p2pchat.limits import SHARES

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType):  # type: ignore[type-arg] # generic only since click 8.4
    """``90s``, ``15m``, ``1h``, ``7d`` as whole seconds within bounds."""

    name = "DURATION"

    def __init__(self, low_s: int, high_s: int) -> None:
        self._low_s, self._high_s = low_s, high_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,9})([smhd])", str(value), re.ASCII)
        if match is None:
            self.fail(f"{value!r} is no duration; it is a number and a unit, such as 90s, 15m, 1h, 7d", param, ctx)
        seconds = int(match[1]) * _UNITS[match[2]]
        if not self._low_s <= seconds <= self._high_s:
            self.fail(f"{value} is not between {self._low_s} s and {self._high_s // 86400} days", param, ctx)
        return seconds


class Seconds(click.FloatRange):
    """A number of seconds within bounds; ``nan``, which compares with nothing, is none."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return seconds


class Address(click.ParamType):  # type: ignore[type-arg] # as above
    """``HOST:PORT`` with a port above 0."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from p2pchat.config import split_address

        parsed = split_address(str(value))
        if parsed is None or parsed[1] == 0:
            self.fail(f"{value!r} is not HOST:PORT with a port above 0", param, ctx)
        return str(value)


class Shares(click.ParamType):  # type: ignore[type-arg] # as above
    """``M/N``: any M of N."""

    name = "M/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", str(value), re.ASCII)
        if match is None or not 2 <= int(match[1]) <= int(match[2]) <= SHARES:
            self.fail(f"{value!r} is not M/N, as 2/3: 2 to {SHARES} shares, of which at least 2 open it", param, ctx)
        return int(match[1]), int(match[2])


def message_argument(word: str) -> str:
    """A message id or its first characters, in lower case. Raises click.UsageError."""
    if not re.fullmatch(r"[0-9a-fA-F]{8,32}", word, re.ASCII):
        raise click.UsageError("a message id is 8 to 32 hexadecimal digits, as `send` and `outbox list` print them")
    return word.lower()


def names_among(addresses: Iterable[str]) -> list[str]:
    """Those of some valid HOST:PORT that name a host instead of giving an IP address: no peer dials them by itself."""
    from ipaddress import ip_address

    from p2pchat.config import split_address

    names = []
    for address in addresses:
        host, _ = split_address(address) or (address, 0)
        try:
            ip_address(host)
        except ValueError:
            names.append(address)
    return names


def text_argument(what: str, text: str, limit: int) -> str:
    """A text that the user typed, as it may go to the daemon. Raises click.UsageError for bad UTF-8 or length."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise click.UsageError(f"{what} is not UTF-8") from None
    if not 1 <= size <= limit:
        raise click.UsageError(f"{what} is 1 to {limit} bytes of UTF-8, this has {size}")
    return text
