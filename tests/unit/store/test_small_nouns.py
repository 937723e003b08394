from p2pchat.ids import DeviceId
from p2pchat.store import channels, meta, profile
from p2pchat.store.contacts import Contact
from p2pchat.store.profile import Profile
from p2pchat.store.tx import Tx

ONE, TWO = DeviceId(b"1" * 16), DeviceId(b"2" * 16)


def test_meta_keeps_numbers_and_bytes(tx: Tx) -> None:
    assert meta.integer(tx, meta.CLOCK) == 0
    assert meta.integer(tx, meta.CLOCK, -1) == -1
    assert meta.blob(tx, "x") is None
    meta.put(tx, meta.CLOCK, 2**60)
    meta.put(tx, meta.CLOCK, 2**60 + 1)
    meta.put(tx, "x", b"\0\xff")
    assert meta.integer(tx, meta.CLOCK) == 2**60 + 1
    assert meta.blob(tx, "x") == b"\0\xff"


def test_the_profile_is_one_row(tx: Tx) -> None:
    assert profile.get(tx) == Profile("", b"", 0)
    profile.put(tx, Profile("Ann", b"png", 5))
    profile.put(tx, Profile("Anna", b"", 6))
    assert profile.get(tx) == Profile("Anna", b"", 6)


def test_a_channel_for_each_device(tx: Tx, bob: Contact) -> None:
    assert channels.get(tx, bob.id, ONE) is None
    channels.put(tx, bob.id, ONE, b"a", 1)
    channels.put(tx, bob.id, ONE, b"b", 2)
    channels.put(tx, bob.id, TWO, b"c", 3)
    assert channels.get(tx, bob.id, ONE) == b"b"
    assert channels.of_contact(tx, bob.id) == {ONE: b"b", TWO: b"c"}
    channels.remove(tx, bob.id, ONE)
    assert channels.of_contact(tx, bob.id) == {TWO: b"c"}
