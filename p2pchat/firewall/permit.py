"""Which addresses the gate may ever dial: the rules of an address alone (protocol.md 4). Pure."""

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from p2pchat.errors import Forbidden
from p2pchat.ids import UserId

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_OTHER: Final = "p2pchat contact address PEER HOST:PORT"

# Ports of services that a stray connection could talk into something (https://fetch.spec.whatwg.org/#port-blocking),
# and Windows' file sharing.
BAD_PORTS: Final = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526,
        530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045,
        4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }
)  # fmt: skip

_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this host": the kernel takes it for loopback
        "169.254.0.0/16",  # link-local, and the clouds' metadata services
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/96",  # unspecified and IPv4-compatible; ::1 is loopback, looked at first
        "::ffff:0:0/96",  # IPv4 in IPv6 clothes: write it as IPv4
        "64:ff9b::/32",  # NAT64, well-known and local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fd00:ec2::/32",  # Amazon's metadata service
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, abolished
        "ff00::/8",  # multicast
    )
)
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")  # carrier-grade NAT: neither global nor "private" to Python


class Range(Enum):
    GLOBAL = "global"
    LAN = "LAN"
    LOOPBACK = "loopback"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to open one connection, and for whom. Only ``policy.py`` makes one; the dialer takes nothing else."""

    peer: UserId
    host: str  # an IP literal
    port: int
    carrier: str


def parse_ip(host: str) -> IpAddress | None:
    """The address that ``host`` spells, or None for a name. Plain spellings only: no zone, no octal, no short form."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if isinstance(address, ipaddress.IPv6Address) and address.scope_id else address


def range_of(address: IpAddress) -> Range:
    """Where an address leads."""
    if address.is_loopback:
        return Range.LOOPBACK
    if any(_inside(address, network) for network in _NEVER):
        return Range.NEVER
    return Range.LAN if address.is_private or _inside(address, _SHARED) or not address.is_global else Range.GLOBAL


def check_dialable(host: str, port: int, *, near: frozenset[Range]) -> None:
    """Raise Forbidden unless ``host`` (an IP literal) and ``port`` may be dialled.

    ``near`` names the ranges beside GLOBAL that are allowed: what the user typed or imported for this peer, and what
    this node itself is confined to (``own_ranges``).
    """
    address = parse_ip(host)
    if address is None:
        raise Forbidden(f"{host} is a name; only what the user types is ever looked up")
    if port in BAD_PORTS:
        raise Forbidden(f"port {port} belongs to another service and is never dialled", hint=_OTHER)
    found = range_of(address)
    if found is Range.NEVER:
        raise Forbidden(f"{host} is an address that is never dialled", hint=_OTHER)
    if found is not Range.GLOBAL and found not in near:
        raise Forbidden(
            f"{host} is a {found.value} address: it counts from a card that was added here, or typed with --lan",
            hint=f"{_OTHER} --lan",
        )


def own_ranges(listening: list[str]) -> frozenset[Range]:
    """LOOPBACK or LAN where this node listens nowhere else: then it may dial that range (protocol.md 4)."""
    ranges = {range_of(address) for host in listening if (address := parse_ip(host)) is not None}
    if len(ranges) == 1 and ranges <= {Range.LOOPBACK, Range.LAN}:
        return frozenset(ranges)
    return frozenset()


def _inside(address: IpAddress, network: _Network) -> bool:
    return address.version == network.version and address in network
