"""The memory of first messages."""

from p2pchat.link.quota import SeenEphemerals


def test_an_ephemeral_key_is_new_once() -> None:
    seen = SeenEphemerals()
    assert seen.is_new(b"a")
    assert not seen.is_new(b"a")
    assert seen.is_new(b"b")


def test_the_memory_of_ephemeral_keys_is_bounded_and_drops_the_oldest() -> None:
    seen = SeenEphemerals(remembered=2)
    assert all(seen.is_new(key) for key in (b"a", b"b", b"c"))
    assert not seen.is_new(b"c")
    assert seen.is_new(b"a")
