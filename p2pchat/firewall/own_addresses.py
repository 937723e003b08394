"""Where this node listens, what it calls its addresses, and which port it keeps."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from p2pchat.config import join_address, split_address
from p2pchat.env import Disk, Net, StreamListener
from p2pchat.errors import BadFormat, Failed, P2PChatError
from p2pchat.firewall.permit import IpAddress, parse_ip

REACHABLE: Final = 8  # addresses on a card (wire.boundary.Welcome)
_log = logging.getLogger(__name__)


async def listen(net: Net, wanted: Sequence[str], disk: Disk, port_file: Path) -> list[StreamListener]:
    """Bind every HOST:PORT of ``wanted``.

    Port 0 takes the port that this home had last time, or a free one that it keeps from now on. Raises BadFormat, or
    Failed where an address cannot be had.
    """
    addresses = [_parse(text) for text in wanted]
    listeners: list[StreamListener] = []
    try:
        for host, port in addresses:
            listeners += await _listen_one(net, host, port, disk, port_file)
    except BaseException:  # all or none, a cancellation included
        for listener in listeners:
            await listener.aclose()
        raise
    return listeners


def _parse(text: str) -> tuple[str, int]:
    address = split_address(text)
    if address is None:
        raise BadFormat(f"cannot listen on {text!r}: it is not HOST:PORT", hint="p2pchat config get listen")
    return address


async def _listen_one(net: Net, host: str, port: int, disk: Disk, port_file: Path) -> list[StreamListener]:
    if port:
        return await net.listen(host, port)
    kept = _kept_port(disk, port_file)
    if kept:
        try:
            return await net.listen(host, kept)
        except Failed as error:
            _log.warning("%s; another port is taken and kept", error.message)
    listeners = await net.listen(host, 0)
    disk.replace(port_file, f"{listeners[0].address[1]}\n".encode())
    return listeners


def _kept_port(disk: Disk, port_file: Path) -> int:
    try:
        text = disk.read(port_file, 16).decode("ascii", "replace").strip()
    except P2PChatError:
        return 0
    return int(text) if text.isdecimal() and 0 < int(text) < 65536 else 0


def bound(listeners: Sequence[StreamListener]) -> tuple[str, ...]:
    """HOST:PORT of each, as bound."""
    return tuple(join_address(*listener.address) for listener in listeners)


async def reachable(net: Net, listeners: Sequence[StreamListener], advertise: Sequence[str]) -> tuple[str, ...]:
    """What a card should say: ``advertise``, else the bound addresses, a wildcard becoming the host's own."""
    if advertise:
        return tuple(advertise)[:REACHABLE]
    found: dict[str, None] = {}
    for listener in listeners:
        host, port = listener.address
        address = parse_ip(host)
        wildcard = address is not None and address.is_unspecified
        hosts = _of_family(await net.local_addresses(), address) if address and wildcard else [host]
        found.update(dict.fromkeys(join_address(each, port) for each in hosts))
    return tuple(found)[:REACHABLE]


def _of_family(hosts: Sequence[str], wildcard: IpAddress) -> list[str]:
    """``::`` takes visitors of both families, ``0.0.0.0`` only IPv4."""
    addresses = [(host, parse_ip(host)) for host in hosts]
    return [host for host, address in addresses if address and (wildcard.version == 6 or address.version == 4)]
