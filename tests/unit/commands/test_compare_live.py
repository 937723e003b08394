"""``contact verify --live``: what the person sees, is asked, and what becomes of each answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from p2pchat.commands import compare_live as module
from p2pchat.errors import AuthFailed
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import Done, p2pchat
from tests.support.fake_daemon import ALICE, BOB, FakeDaemon

SESSION = "0123456789abcdef"
PICTURES = [{"emoji": "🐶", "name": "dog"}, {"emoji": "🔑", "name": "key"}] * 2
WHO = {"id": ALICE, "fingerprint": "0" * 64, "pubkey_md5": "1" * 32, "nickname": "ada", "listen": []}
NUMBER = {"id": BOB, "safety_number": "0123456789" * 6, "verified": True}


@dataclass
class Comparing:
    """The daemon's half: the other side begins after ``waits`` calls, and answers ``theirs``."""

    theirs: str = "yes"
    waits: int = 1
    view: dict[str, Any] = field(default_factory=dict)

    def begin(self, _params: dict[str, Any]) -> dict[str, Any]:
        self.view = {"id": BOB, "session": SESSION, "state": "waiting", "online": False, "emoji": []}
        self.view |= {"answer": "none", "peer_answer": "none", "verified": False}
        return self.view

    def wait(self, params: dict[str, Any]) -> dict[str, Any]:
        assert (params["peer"], params["session"], params["state"]) == (BOB, SESSION, self.view["state"])
        self.waits -= 1
        if self.view["state"] == "waiting" and self.waits <= 0:
            self.view |= {"state": "shown", "online": True, "emoji": PICTURES}
        elif self.view["state"] == "answered":
            self.view |= {"state": "done", "peer_answer": self.theirs, "verified": self.theirs != "no"}
        return self.view

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["answer"] != "cancel":
            self.view |= {"state": "answered", "answer": params["answer"], "verified": params["answer"] == "yes"}
        return self.view


@pytest.fixture
def comparing(fake: FakeDaemon) -> Comparing:
    made = Comparing()
    fake.answers |= {"compare.begin": made.begin, "compare.wait": made.wait, "compare.answer": made.answer}
    fake.answers |= {"whoami": WHO, "contact.verify": NUMBER}
    return made


def live(answer: str, *words: str) -> Done:
    return p2pchat("contact", "verify", "bob", "--live", *words, stdin=answer.encode(), terminal=True)


def test_the_person_sees_the_pictures_with_their_names_and_is_asked(comparing: Comparing, fake: FakeDaemon) -> None:
    done = live("maybe\nyes\n")
    assert done.status == 0
    assert f"not connected at the moment). There one types:\n\n  p2pchat contact verify {ALICE[:11]} --live" in done.err
    assert "  1  🐶  dog\n  2  🔑  key\n  3  🐶  dog\n  4  🔑  key\n" in done.err
    assert done.out.splitlines()[1:] == ["verified      yes", "your answer   yes", "their answer  yes"]
    assert [told["answer"] for told in fake.asked("compare.answer")] == ["yes"]


def test_json_holds_the_outcome(comparing: Comparing) -> None:
    done = live("yes\n", "--json")
    shape = done.json
    assert shape.pop("v") == 1
    OUTPUTS["contact verify"].check(shape, "contact verify")
    assert (shape["answer"], shape["peer_answer"], shape["verified"], shape["emoji"]) == ("yes", "yes", True, PICTURES)


def test_no_is_an_alarm(comparing: Comparing) -> None:
    done = live("no\n")
    assert done.status == 6
    assert "verified      no" in done.out and "somebody may stand between you two" in done.err


def test_their_no_is_one_too(comparing: Comparing) -> None:
    comparing.theirs = "no"
    done = live("yes\n", "--json")
    assert (done.status, done.error["code"]) == (6, "UNTRUSTED")
    assert (done.json["verified"], done.json["peer_answer"]) == (False, "no")


def test_without_their_answer_the_own_one_counts(comparing: Comparing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_S", 0.0)
    done = live("yes\n")
    assert done.status == 0
    assert "their answer  not given yet" in done.out and "recv --all" in done.err


def test_the_end_of_input_at_the_question_breaks_it_off(comparing: Comparing, fake: FakeDaemon) -> None:
    assert live("").status == 130
    assert [told["answer"] for told in fake.asked("compare.answer")] == ["cancel"]


def test_nobody_comes(comparing: Comparing, fake: FakeDaemon) -> None:
    comparing.waits = 10**9
    done = live("yes\n", "--timeout", "0.05", "--json")
    assert (done.status, done.error["code"]) == (7, "TIMEOUT")
    assert [told["answer"] for told in fake.asked("compare.answer")] == ["cancel"]


def test_what_broke_it_is_told(comparing: Comparing, fake: FakeDaemon) -> None:
    def cheated(_params: object) -> dict[str, Any]:
        raise AuthFailed(
            "the comparison failed: the other side's value does not fit", hint="p2pchat contact verify bob"
        )

    fake.answers["compare.wait"] = cheated
    done = live("yes\n", "--json")
    assert (done.status, done.error["code"], done.out) == (6, "AUTH_FAILED", "")


@pytest.mark.parametrize(
    "run",
    [
        lambda: live("yes\n", "--no-input"),
        lambda: p2pchat("contact", "verify", "bob", "--live", stdin=b"yes\n"),
    ],
    ids=["--no-input", "no terminal"],
)
def test_a_script_cannot_answer(comparing: Comparing, fake: FakeDaemon, run: Callable[[], Done]) -> None:
    done = run()
    assert done.status == 4
    assert fake.calls == [], "the other side is not bothered"


@pytest.mark.parametrize("words", [["--live", "--number", "1"], ["--timeout", "3"]])
def test_ways_are_not_mixed(fake: FakeDaemon, words: list[str]) -> None:
    assert p2pchat("contact", "verify", "bob", *words).status == 2
    assert fake.calls == []
