"""How many visitors may stand at the door unauthenticated: in total, and from one neighbourhood (walls 1.4). Pure."""

import ipaddress
from collections import Counter

from p2pchat.limits import HALF_OPEN_LINKS, HALF_OPEN_PER_PREFIX


class HalfOpen:
    """Counts connections between accept and authentication."""

    def __init__(self, *, total: int = HALF_OPEN_LINKS, per_prefix: int = HALF_OPEN_PER_PREFIX) -> None:
        self._total = total
        self._per_prefix = per_prefix
        self._open: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self._open.total()

    def enter(self, host: str) -> bool:
        """Whether one more from ``host`` (an IP literal) may stay; if so it counts until ``leave``."""
        prefix = prefix_of(host)
        if self.count >= self._total or self._open[prefix] >= self._per_prefix:
            return False
        self._open[prefix] += 1
        return True

    def leave(self, host: str) -> None:
        prefix = prefix_of(host)
        self._open[prefix] -= 1
        if not self._open[prefix]:
            del self._open[prefix]


def prefix_of(host: str) -> str:
    """The /24 or /56 that ``host`` is in; IPv4 in IPv6 clothes counts as IPv4."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 56), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24), strict=False))
