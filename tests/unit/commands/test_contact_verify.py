"""``contact verify``: digits as people type them."""

import pytest

from tests.support.command_line import p2pchat
from tests.support.fake_daemon import BOB, FakeDaemon

NUMBER = "0123456789" * 6
VERIFIED = {"id": BOB, "safety_number": NUMBER, "verified": True}


@pytest.mark.parametrize(
    "typed",
    [
        NUMBER,
        " ".join(NUMBER[at : at + 5] for at in range(0, 60, 5)),
        "\n".join(NUMBER[at : at + 20] for at in range(0, 60, 20)) + "\n",
        "-".join(NUMBER),
        "\u00a0".join(NUMBER[at : at + 30] for at in range(0, 60, 30)),
        "\uff10" + NUMBER[1:],  # as an East Asian keyboard writes a zero
    ],
)
def test_a_number_may_be_spaced_at_will(fake: FakeDaemon, typed: str) -> None:
    fake.answers["contact.verify"] = VERIFIED
    done = p2pchat("contact", "verify", "bob", "--number", typed)
    assert done.status == 0
    assert "verified       yes" in done.out
    assert fake.asked("contact.verify") == [{"peer": "bob", "number": NUMBER}]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "this has 0"),
        (NUMBER[:-1], "this has 59"),
        (NUMBER + "0", "this has 61"),
        ("x" * 60, "digits and nothing else"),
        ("\u0663" + NUMBER[1:], "digits and nothing else"),
        (NUMBER * 100, "far longer"),
    ],
)
def test_what_is_no_safety_number_is_refused_here(fake: FakeDaemon, typed: str, words: str) -> None:
    done = p2pchat("contact", "verify", "bob", "--number", typed)
    assert done.status == 2
    assert words in done.err
    assert fake.calls == []
