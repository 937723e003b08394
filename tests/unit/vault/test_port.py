import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from p2pchat.errors import BadFormat
from p2pchat.vault.port import Port
from p2pchat.wire import boundary
from tests.support.identities import stored_identity

BUILD = b"b" * 32


def hello() -> boundary.VaultHello:
    own = stored_identity(0)
    return boundary.VaultHello(
        build=BUILD,
        user=own.user,
        device=own.device.device,
        key_log=own.chain.raw,
        device_set=own.devices.raw,
    )


def welcome(build: bytes = BUILD) -> boundary.Welcome:
    return boundary.Welcome(
        build=build, share=b"s" * 32, link_x25519=b"l" * 32, listen=(), reachable=(), carriers=(), wall="none"
    )


async def test_the_first_words_are_exchanged() -> None:
    near, far = memory_stream_pair()
    await far.send_all(boundary.encode(welcome()) + b"the next message")
    assert await Port(near).welcome(hello()) == welcome()
    assert await near.receive_some() == b"the next message"


async def test_a_gate_that_has_ended_tells_the_launcher_why_itself() -> None:
    near, far = memory_stream_pair()
    await far.aclose()
    assert await Port(near).welcome(hello()) is None


@pytest.mark.parametrize("said", [b"", b"\0\0", boundary.encode(welcome())[:-1]])
async def test_a_gate_that_ends_in_the_middle_of_a_word_does_so_too(said: bytes) -> None:
    near, far = memory_stream_pair()
    await far.send_all(said)
    await far.send_eof()
    assert await Port(near).welcome(hello()) is None


async def test_a_gate_of_another_build_is_refused() -> None:
    near, far = memory_stream_pair()
    await far.send_all(boundary.encode(welcome(b"o" * 32)))
    with pytest.raises(BadFormat, match="not of this build"):
        await Port(near).welcome(hello())


async def test_a_silent_gate_is_not_waited_for_for_ever(autojump_clock: MockClock) -> None:
    near, _far = memory_stream_pair()
    with trio.fail_after(11), pytest.raises(BadFormat, match="not of this build"):
        await Port(near).welcome(hello())


async def test_the_writer_leaves_the_end_to_the_reader(autojump_clock: MockClock) -> None:
    near, far = memory_stream_pair()
    port = Port(near)
    await far.aclose()
    port.send(welcome())
    with trio.fail_after(1):
        await port.write()
        assert [batch async for batch in port.messages()] == []
