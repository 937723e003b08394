"""A smart card, by the real library and SoftHSM2; each question in a child, as that is how it is asked."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pchat.errors import DongleMissing, Failed, Locked, WrongPassword
from p2pchat.launch import dongles, programs
from tests.support import softhsm

MODULE = softhsm.module()
pytestmark = pytest.mark.skipif(MODULE is None, reason="SoftHSM2 is not installed here")

Ask = Callable[..., bytes]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    environ = {
        **programs.environ(os.environ),
        **softhsm.make_card(tmp_path, "one"),
        **softhsm.make_card(tmp_path, "two"),
    }

    def asked(token: str, pin: str = softhsm.PIN, *, create: bool = False, module: str = str(MODULE)) -> bytes:
        spec = f"pkcs11:{module}?token={token}"
        return dongles.ask(programs.own().dongle, spec, pin, environ, create=create)

    return asked


def test_the_key_stays_on_the_card_and_answers_alike(ask: Ask) -> None:
    with pytest.raises(DongleMissing, match="holds no key"):
        ask("one")
    made = ask("one", create=True)
    assert ask("one") == ask("one", create=True) == made
    assert len(made) == 32
    assert ask("two", create=True) != made


def test_each_way_to_fail_has_its_sentence(ask: Ask) -> None:
    for pin, error in (("9999", WrongPassword), ("", Locked)):
        with pytest.raises(error, match="PIN"):
            ask("one", pin)
    with pytest.raises(DongleMissing, match="no card three"):
        ask("three")
    with pytest.raises(Failed, match="/nowhere"):
        ask("one", module="/nowhere.so")
