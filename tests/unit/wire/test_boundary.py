import pytest

from p2pchat.errors import BadFormat
from p2pchat.wire import boundary, codec

SAMPLES = [
    boundary.VaultHello(build=b"b" * 32, user=b"u" * 32, device=b"d" * 16, key_log=b"log", device_set=b"set"),
    boundary.Peer(user=b"u" * 32, role=boundary.Role.CONTACT, records=(b"one", b"two"), lan=True),
    boundary.Want(user=b"u" * 32, until_ms=boundary.FOREVER_MS),
    boundary.Send(link=1, seq=2, kind=7, body=b"x" * 1000),
    boundary.Took(link=1, seq=2),
    boundary.Cut(link=1, reason=boundary.Reason.UNWANTED),
    boundary.Welcome(
        build=b"b" * 32, share=b"s" * 32, link_x25519=b"k" * 32, listen=("127.0.0.1:9",), reachable=(),
        carriers=("ws",), wall="none"
    ),
    boundary.Up(
        link=1, user=b"u" * 32, device=b"d" * 16, role=1, initiator=True, path="direct", carrier="raw",
        address="127.0.0.1:9", handshake_hash=b"h" * 32, key_log=b"", device_set=b"",
    ),
    boundary.Down(link=1, reason=boundary.Reason.LOST),
    boundary.Arrived(link=1, seq=1, kind=7, body=b""),
    boundary.Sent(link=1, seq=9),
    boundary.Cannot(user=b"u" * 32, reason="refused", retry_ms=5),
    boundary.Addrs(reachable=("10.0.0.1:9",)),
    boundary.Warn(code="X", text="y"),
]  # fmt: skip


def test_every_kind_has_a_sample_and_survives() -> None:
    assert {type(m) for m in SAMPLES} == set(boundary.KINDS.values())
    stream = b"".join(boundary.encode(m) for m in SAMPLES)
    for cut in range(0, len(stream), 97):
        reader = boundary.BoundaryReader()
        assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == SAMPLES


def test_a_frame_too_long_is_refused_from_its_length_alone() -> None:
    with pytest.raises(BadFormat, match="claims"):
        boundary.BoundaryReader().feed(b"\x7f\xff\xff\xff")


@pytest.mark.parametrize("value", [[], [99], ["1"], 1, [True], [6, 1]])
def test_unknown_or_short_messages_are_refused(value: codec.Value) -> None:
    with pytest.raises(BadFormat):
        boundary.decode(codec.pack(value))
