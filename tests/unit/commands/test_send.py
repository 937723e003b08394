"""``send``: what is recipient and what is text, waiting, and exit statuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from p2pchat.errors import Forbidden
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import ALICE, BOB, MESSAGE, FakeDaemon


def sent(*states: str, reason: str = "") -> dict[str, Any]:
    rank = ["queued", "sent", "delivered", "read", "failed"]
    people = [{"id": who, "state": state} for who, state in zip((BOB, ALICE), states, strict=False)]
    for to in people:
        if reason and to["state"] in {"queued", "failed"}:
            to["reason"] = reason
    return {"message": MESSAGE, "state": min(states, key=rank.index), "recipients": people}


@pytest.fixture(autouse=True)
def queued(fake: FakeDaemon) -> None:
    fake.answers["send"] = lambda params: sent(*["queued"] * len(params["to"]))


@pytest.mark.parametrize(
    ("words", "stdin", "to", "text"),
    [
        (["bob", "hi"], b"", ["bob"], "hi"),
        (["bob", "carol", "see you"], b"", ["bob", "carol"], "see you"),
        (["bob", "-"], b"from stdin\n", ["bob"], "from stdin"),
        (["bob"], b"from stdin", ["bob"], "from stdin"),
        (["bob", "carol", "-"], b"a\nb\n\n", ["bob", "carol"], "a\nb\n"),
        (["bob", "-"], b"-", ["bob"], "-"),
        (["bob", "-"], "Grüße 👋\r\n".encode(), ["bob"], "Grüße 👋\r"),
        (["bob", "--", "--text"], b"", ["bob"], "--text"),
        (["bob", "  blanks kept  "], b"", ["bob"], "  blanks kept  "),
        (["bob", "-"], b"x" * 65_000 + b"\n", ["bob"], "x" * 65_000),
        (["bob", "x" * 65_000], b"", ["bob"], "x" * 65_000),
        (["bob", "\x01" * 65_000], b"", ["bob"], "\x01" * 65_000),
    ],
)
def test_words_are_recipients_and_text(
    fake: FakeDaemon, words: list[str], stdin: bytes, to: list[str], text: str
) -> None:
    done = p2pchat("send", "--json", *words, stdin=stdin)
    assert (done.status, done.err) == (0, "")
    (asked,) = fake.asked("send")
    assert (asked["to"], asked["text"]) == (to, text)
    OUTPUTS["send"].check({k: v for k, v in done.json.items() if k != "v"}, "send")


@pytest.mark.parametrize(
    ("words", "stdin", "terminal"),
    [
        ([], b"", False),
        (["bob"], b"", True),
        (["bob"], b"", False),
        (["bob", "-"], b"\n", False),
        (["bob", ""], b"", False),
        (["", "x"], b"", False),
        (["bob", "-"], b"x" * 65_001, False),
        (["bob", "-"], b"x" * 10_000_000, False),
        (["bob", "x" * 65_001], b"", False),
        (["bob", "\udcff"], b"", False),
        (["bob", "-"], b"\xff", False),
        (["bob", "hi", "--expires", "59s"], b"", False),
        (["bob", "hi", "--expires", "367d"], b"", False),
        (["bob", "hi", "--expires", "1.5h"], b"", False),
        (["bob", "hi", "--expires", "99999999999d"], b"", False),
        (["bob", "hi", "--wait", "failed"], b"", False),
        (["bob", "hi", "--wait", "sent", "--timeout", "-1"], b"", False),
        (["bob", "hi", "--timeout", "5"], b"", False),
        (["bob", "hi", "--idempotency-key", ""], b"", False),
        (["bob", "hi", "--idempotency-key", "k" * 257], b"", False),
        (["bob", "hi", "--nonsense"], b"", False),
    ],
)
def test_words_that_are_off_end_with_2(fake: FakeDaemon, words: list[str], stdin: bytes, terminal: bool) -> None:
    done = p2pchat("--json", "send", *words, stdin=stdin, terminal=terminal)
    assert (done.status, done.out, done.error["code"]) == (2, "", "USAGE")
    assert fake.calls == []


def test_options_reach_the_daemon(fake: FakeDaemon) -> None:
    p2pchat("send", "bob", "hi", "--expires", "15m", "--idempotency-key", "k1")
    assert fake.asked("send") == [{"to": ["bob"], "text": "hi", "expires_s": 900, "idempotency_key": "k1"}]


def test_a_daemon_that_breaks_off_is_asked_again_under_the_same_key(fake: FakeDaemon) -> None:
    fake.drop = 1
    assert p2pchat("send", "bob", "hi").status == 0
    first, again = fake.asked("send")
    assert first == again and len(first["idempotency_key"]) == 32
    p2pchat("send", "bob", "hi")
    assert fake.asked("send")[2]["idempotency_key"] != first["idempotency_key"]


def test_without_wait_it_returns_at_queued(fake: FakeDaemon) -> None:
    done = p2pchat("send", "bob", "hi")
    assert done.out == f"{MESSAGE} queued\n"
    assert not fake.asked("message.wait")


def test_wait_asks_until_the_state_is_there(fake: FakeDaemon) -> None:
    states = iter(["queued", "sent", "delivered"])
    fake.answers["message.wait"] = lambda _params: sent(next(states))
    done = p2pchat("--json", "send", "bob", "hi", "--wait", "delivered")
    assert (done.status, done.json["state"]) == (0, "delivered")
    waits = fake.asked("message.wait")
    assert len(waits) == 3
    assert all(29_000 < w["wait_ms"] <= 30_000 and w["state"] == "delivered" and w["message"] == MESSAGE for w in waits)


def test_a_higher_state_will_do(fake: FakeDaemon) -> None:
    fake.answers["send"] = sent("read")
    assert p2pchat("send", "bob", "hi", "--wait", "sent").status == 0
    assert not fake.asked("message.wait")


def test_time_up_ends_with_7_and_the_message_is_printed_all_the_same(fake: FakeDaemon) -> None:
    fake.answers["message.wait"] = sent("queued", reason="Serious connection error")
    done = p2pchat("send", "bob", "hi", "--wait", "delivered", "--timeout", "0.01")
    assert done.status == 7
    assert done.out.splitlines() == [f"{MESSAGE} queued", "  pc1zzzzzzzz queued Serious connection error"]
    assert "Serious connection error" in done.err and f"p2pchat message show {MESSAGE}" in done.err
    done = p2pchat("--json", "send", "bob", "hi", "--wait", "delivered", "--timeout", "0")
    assert (done.status, done.json["state"], done.error["code"], done.error["number"]) == (7, "queued", "TIMEOUT", 2000)


def test_some_of_the_recipients_is_8(fake: FakeDaemon) -> None:
    fake.answers["message.wait"] = sent("delivered", "failed", reason="expired")
    done = p2pchat("--json", "send", "bob", "alice", "hi", "--wait", "delivered")
    assert (done.status, done.error["code"], done.json["state"]) == (8, "PARTIAL", "delivered")
    done = p2pchat("send", "bob", "alice", "hi", "--wait", "delivered")
    assert done.out.splitlines()[1:] == ["  pc1zzzzzzzz delivered", "  pc1qqqqqqqq failed expired"]


def test_failure_of_all_is_1(fake: FakeDaemon) -> None:
    fake.answers["message.wait"] = sent("failed", reason="cancelled")
    done = p2pchat("--json", "send", "bob", "hi", "--wait", "sent")
    assert (done.status, done.error["code"]) == (1, "FAILED")
    assert "cancelled" in done.error["message"]


def test_a_blocked_recipient_is_10(fake: FakeDaemon) -> None:
    def refuse(_params: object) -> dict[str, object]:
        raise Forbidden("bob is blocked", hint="p2pchat contact unblock bob")

    fake.answers["send"] = refuse
    done = p2pchat("--json", "send", "bob", "hi")
    assert (done.status, done.out, done.error["code"]) == (10, "", "FORBIDDEN")


def test_an_interruption_still_prints_the_stored_message(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    from p2pchat.commands import send as module

    original = module.ask

    def ask(settings: Any, method: str, *rest: Any, **named: Any) -> Any:
        if method == "message.wait":
            raise KeyboardInterrupt
        return original(settings, method, *rest, **named)

    monkeypatch.setattr(module, "ask", ask)
    done = p2pchat("--json", "send", "bob", "hi", "--wait", "delivered")
    assert (done.status, json.loads(done.out)["message"], done.err) == (130, MESSAGE, "")


def test_no_daemon_is_3_and_the_hint_is_the_next_step(home: Path, fake: FakeDaemon) -> None:
    (home / "rpc.sock").unlink()
    done = p2pchat("--json", "send", "bob", "hi")
    assert (done.status, done.error["code"], done.error["hint"]) == (3, "NO_DAEMON", "p2pchat daemon start")
    (home / "unlock.key").unlink()
    assert p2pchat("--json", "send", "bob", "hi").error["hint"] == "p2pchat init"
