"""Which addresses may ever be dialled."""

import pytest

from p2pchat.errors import Forbidden
from p2pchat.firewall.permit import BAD_PORTS, Range, check_dialable, own_ranges, parse_ip, range_of

EVERYTHING = frozenset({Range.LAN, Range.LOOPBACK})
NOTHING: frozenset[Range] = frozenset()

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",  # cloud metadata
    "169.254.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2001::1",
    "2002:7f00:1::",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
NOT_ADDRESSES = [
    "localhost",
    "example.org",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "127.0.0.01",
    " 127.0.0.1",
    "[::1]",
    "fe80::1%eth0",
    "",
    "１２７.0.0.1",
]
NEAR = {
    "127.0.0.1": Range.LOOPBACK,
    "127.255.0.9": Range.LOOPBACK,
    "::1": Range.LOOPBACK,
    "10.1.2.3": Range.LAN,
    "172.16.0.1": Range.LAN,
    "192.168.1.1": Range.LAN,
    "100.64.0.1": Range.LAN,
    "198.18.0.1": Range.LAN,
    "192.0.2.2": Range.LAN,
    "fc00::1": Range.LAN,
    "fd12:3456::1": Range.LAN,
    "2001:db8::1": Range.LAN,
}
FAR = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("host", NEVER)
def test_some_addresses_are_never_dialled(host: str) -> None:
    address = parse_ip(host)
    assert address is not None
    assert range_of(address) is Range.NEVER
    with pytest.raises(Forbidden, match="never dialled"):
        check_dialable(host, 4000, near=EVERYTHING)


@pytest.mark.parametrize("host", NOT_ADDRESSES)
def test_only_plain_spellings_are_addresses(host: str) -> None:
    with pytest.raises(Forbidden, match="is a name"):
        check_dialable(host, 4000, near=EVERYTHING)


@pytest.mark.parametrize(("host", "where"), NEAR.items())
def test_near_addresses_need_leave(host: str, where: Range) -> None:
    with pytest.raises(Forbidden) as caught:
        check_dialable(host, 4000, near=NOTHING)
    assert "--lan" in caught.value.hint
    check_dialable(host, 4000, near=frozenset({where}))
    other = Range.LAN if where is Range.LOOPBACK else Range.LOOPBACK
    with pytest.raises(Forbidden):
        check_dialable(host, 4000, near=frozenset({other}))


@pytest.mark.parametrize("host", FAR)
def test_global_addresses_may_be_dialled(host: str) -> None:
    check_dialable(host, 4000, near=NOTHING)


@pytest.mark.parametrize("port", sorted(BAD_PORTS))
def test_ports_of_other_services_are_never_dialled(port: int) -> None:
    with pytest.raises(Forbidden, match="port"):
        check_dialable("8.8.8.8", port, near=EVERYTHING)


@pytest.mark.parametrize(
    ("listening", "ranges"),
    [
        (["127.0.0.1"], {Range.LOOPBACK}),
        (["127.0.0.1", "::1"], {Range.LOOPBACK}),
        (["192.168.1.5"], {Range.LAN}),
        (["0.0.0.0"], set()),
        (["127.0.0.1", "192.168.1.5"], set()),
        (["8.8.8.8"], set()),
        (["192.168.1.5", "8.8.8.8"], set()),
        ([], set()),
    ],
)
def test_a_node_confined_to_a_range_may_dial_it(listening: list[str], ranges: set[Range]) -> None:
    assert own_ranges(listening) == ranges
