"""A security key, by the real library's client and a key made of software."""

from pathlib import Path

import pytest

from p2pchat.errors import DongleMissing, Failed, Locked, WrongPassword
from p2pchat.keys.dongle.fido2 import answer, create
from tests.support import authenticator
from tests.support.authenticator import Authenticator

PIN = "123456"


def made(seed: bytes = b"one", pin: str | None = None) -> Authenticator:
    key = Authenticator(seed, pin=pin)
    create([key], pin or "")
    return key


def test_it_answers_alike_and_making_it_again_changes_nothing() -> None:
    key = made()
    first = answer([key])
    assert len(first) == 32
    create([key], "")
    assert answer([key]) == first == answer([made()])
    assert len(key.credentials) == 1


def test_another_key_answers_otherwise() -> None:
    assert answer([made(b"one")]) != answer([made(b"two")])


def test_it_answers_alike_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    create([Authenticator.load(path, pin=PIN)], PIN)
    first = answer([Authenticator.load(path)])
    create([Authenticator.load(path)], PIN)
    assert answer([Authenticator.load(path)]) == first


def test_old_and_new_protocol_give_the_same_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    new = answer([made(pin=PIN)])
    monkeypatch.delitem(authenticator.PROTOCOLS, 2)
    assert answer([made(pin=PIN)]) == new


def test_without_a_credential_of_ours_it_is_not_the_dongle() -> None:
    with pytest.raises(DongleMissing, match="holds nothing of p2pchat"):
        answer([Authenticator(b"one")])


def test_exactly_one_is_plugged_in() -> None:
    with pytest.raises(DongleMissing, match="no security key"):
        answer([])
    with pytest.raises(DongleMissing, match="no security key"):
        create([], "")
    two = [made(b"one"), made(b"two")]
    with pytest.raises(Failed, match="2 security keys"):
        answer(two)
    with pytest.raises(Failed, match="2 security keys"):
        create(two, "")


def test_it_waits_for_a_touch() -> None:
    key = made()
    key.touched = False
    with pytest.raises(DongleMissing, match="touched"):
        answer([key])
    untouched = Authenticator(b"one", touched=False)
    with pytest.raises(DongleMissing, match="touched"):
        create([untouched], "")
    assert untouched.credentials == []


def test_its_pin_is_wanted_to_make_it_and_never_again() -> None:
    key = Authenticator(b"one", pin=PIN)
    for pin, error in (("", Locked), ("654321", WrongPassword)):
        with pytest.raises(error, match="PIN") as caught:
            create([key], pin)
        assert type(caught.value) is error
    create([key], PIN)
    first = answer([key])
    create([key], "")  # it is there already
    assert answer([key]) == first


def test_one_that_keeps_no_secrets_is_refused() -> None:
    key = Authenticator(b"one", hmac_secret=False)
    with pytest.raises(Failed, match="hmac-secret"):
        create([key], "")
