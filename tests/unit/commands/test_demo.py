"""The demo judges by what the receiver saw, and cleans up however it ends. Its nodes are fakes here."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2pchat import cli
from p2pchat.commands import demo
from p2pchat.commands.interrupts import Interrupted, Interrupts
from p2pchat.errors import Failed
from p2pchat.rpc.schema import OUTPUTS

STEPS = ["identities", "start", "card", "request", "accept", "message", "stop", "queued", "delivered", "done"]
Spoil = Callable[[str, dict[str, Any]], None]  # changes an answer or an event, given its method or kind


class FakeNode:
    """As ``demo_node.Node``; the two of a demo reach each other through ``world``."""

    world: dict[str, "FakeNode"]
    spoil: Spoil

    def __init__(self, name: str, folder: Path, check: Callable[[], None]) -> None:
        self.name, self.folder, self.id = name, folder, f"pc1{name}"
        self.short_id = self.id
        self.running = False
        self.made = False
        self.stops = 0
        self.inbox: list[dict[str, Any]] = []
        self.outbox: list[dict[str, Any]] = []
        self.request: dict[str, Any] = {}
        self.world[name] = self

    @property
    def peer(self) -> "FakeNode":
        return next(node for node in self.world.values() if node is not self)

    def make(self, primes: tuple[bytes, bytes]) -> None:
        assert all(len(prime) == 512 for prime in primes)
        self.made = True

    def start(self) -> str:
        assert self.made
        self.running = True
        self.peer.flush()
        return "127.0.0.1:1"

    def stop(self) -> None:
        self.running = False
        self.stops += 1

    def flush(self) -> None:
        while self.outbox and self.peer.running:
            self.peer.inbox.append(self.outbox.pop(0))

    def call(self, method: str, /, *, wait_s: float = 0.0, **params: Any) -> dict[str, Any]:
        answer = self.answer(method, params)
        FakeNode.spoil(method, answer)
        return answer

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "contact.card":
                return {"card": "Y2FyZA=="}
            case "contact.add":
                self.peer.request = {"from": self.id, "message": params["message"]}
                self.peer.inbox.append({"type": "contact-request", "from": self.id})
                return {"id": self.peer.id, "state": "requested"}
            case "contact.requests":
                return {"items": [self.request]}
            case "contact.accept":
                self.peer.inbox.append({"type": "contact-accepted", "from": self.id})
                return {}
            case "contact.show":
                return {"state": "accepted"}
            case "send":
                self.outbox.append({"type": "message", "from": self.id, "message": "m", "text": params["text"]})
                self.flush()
                return {"message": "m"}
            case "outbox.list":
                return {"items": [{"message": event["message"], "state": "queued"} for event in self.outbox]}
            case "message.wait":
                return {"state": "queued" if self.outbox else "delivered"}
        raise AssertionError(method)

    def sees(self, kind: str) -> dict[str, Any]:
        event = self.inbox.pop(0)
        assert event["type"] == kind
        FakeNode.spoil(kind, event)
        return event

    def log(self) -> list[str]:
        return [f"the log of {self.name}"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, FakeNode]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(demo, "Node", FakeNode)
    FakeNode.world = {}
    FakeNode.spoil = staticmethod(lambda _what, _answer: None)
    return FakeNode.world


def assert_nothing_is_left(world: dict[str, FakeNode], tmp_path: Path) -> None:
    assert [node.running for node in world.values()] == [False, False]
    assert all(node.stops for node in world.values())
    assert list(tmp_path.iterdir()) == []


def test_every_step_is_shown_and_nothing_is_left(
    world: dict[str, FakeNode], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["demo", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in shown] == STEPS
    for line in shown:
        assert line.pop("v") == 1
        OUTPUTS["demo"].check(line, "demo")
    assert_nothing_is_left(world, tmp_path)


def test_people_get_a_line_a_step_and_what_to_type_next(
    world: dict[str, FakeNode], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["demo"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count(" ms ") == len(STEPS) - 1
    assert "“Good night. You will read this tomorrow.”" in out
    for words in ("init --nickname", "daemon start", "contact card"):
        assert f"p2pchat {words}" in out.partition("Your turn:")[2]


@pytest.mark.parametrize(
    ("what", "field", "value"),
    [
        ("contact.add", "id", "pc1eve"),
        ("contact-request", "from", "pc1eve"),
        ("contact.requests", "items", [{"message": "other words"}]),
        ("contact-accepted", "from", "pc1eve"),
        ("contact.show", "state", "requested"),
        ("message", "text", "other words"),
        ("message", "from", "pc1eve"),
        ("message", "message", "another"),
        ("outbox.list", "items", []),
        ("message.wait", "state", "queued"),
    ],
)
def test_what_was_not_seen_as_sent_fails_the_demo(
    world: dict[str, FakeNode],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    what: str,
    field: str,
    value: object,
) -> None:
    def spoil(method: str, answer: dict[str, Any]) -> None:
        if method == what:
            answer[field] = value

    FakeNode.spoil = staticmethod(spoil)
    assert cli.run(["demo", "--json", "-v"]) == 1
    captured = capsys.readouterr()
    assert '"done"' not in captured.out
    assert "the log of ada" in captured.err
    assert_nothing_is_left(world, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_between_two_steps(
    world: dict[str, FakeNode], tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def spoil(method: str, _answer: dict[str, Any]) -> None:
        if method == "contact.accept":
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    FakeNode.spoil = staticmethod(spoil)
    assert cli.run(["demo", "--json"]) == 128 + number
    assert '"accept"' in capsys.readouterr().out.splitlines()[-1]
    assert_nothing_is_left(world, tmp_path)
    assert signal.getsignal(number) is before


def test_one_node_that_does_not_start_ends_both(
    world: dict[str, FakeNode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(node: FakeNode) -> str:
        node.running = node.name == "ada"
        if node.name == "ben":
            raise Failed("no port is free")
        return "127.0.0.1:1"

    monkeypatch.setattr(FakeNode, "start", refuse)
    assert cli.run(["demo"]) == 1
    assert_nothing_is_left(world, tmp_path)


def test_fresh_keys_are_made_when_asked_for(
    world: dict[str, FakeNode], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def generate(count: int, tick: Callable[[float], None]) -> list[tuple[bytes, bytes]]:
        tick(0.5)
        return [(b"p" * 512, b"q" * 512)] * count

    monkeypatch.setattr(demo, "generate_primes", generate)
    assert cli.run(["demo", "--fresh-keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["step"] == "keys"


def test_interrupts_wait_for_a_check() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted) as interrupted:
            interrupts.check()
    assert interrupted.value.status == 143
