"""Two people compare keys on two terminals, and a program takes the messages: real daemons, the real command line."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.daemons import P2PCHAT, Node, befriend, nodes, wait_for


class Terminal:
    """A verb that runs on a terminal of its own."""

    def __init__(self, node: Node, *words: str) -> None:
        self.screen = ""
        near, far = pty.openpty()
        self._near = near
        self.process = subprocess.Popen(
            [*P2PCHAT, *words], env={**node.environ, "PYTHONIOENCODING": "utf-8"}, stdin=far, stdout=far, stderr=far
        )
        os.close(far)

    def see(self, pattern: str, seconds: float = 30) -> str:
        """Read until the screen holds ``pattern``; its first group."""
        end_s = time.monotonic() + seconds
        while not (found := re.search(pattern, self.screen, re.DOTALL)):
            assert time.monotonic() < end_s, f"waited for {pattern!r}, saw:\n{self.screen}"
            self._take()
        return found[1] if found.groups() else found[0]

    def type(self, text: str) -> None:
        os.write(self._near, text.encode())

    def end(self) -> int:
        """Read to the end of the verb; its exit status."""
        end_s = time.monotonic() + 90
        while self.process.poll() is None:
            assert time.monotonic() < end_s, f"it does not end, and shows:\n{self.screen}"
            self._take()
        while self._take():
            pass
        return self.process.returncode

    def _take(self) -> bool:
        """Add what has come to ``screen``; whether something had."""
        if not select.select([self._near], [], [], 0.1)[0]:
            return False
        chunk = self._read()
        self.screen += chunk
        return bool(chunk)

    def _read(self) -> str:
        try:
            return os.read(self._near, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # Linux, once the other end has closed
            return ""

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        os.close(self._near)


@contextmanager
def terminals(*each: tuple[Node, str]) -> Iterator[list[Terminal]]:
    opened = [Terminal(node, "contact", "verify", peer, "--live") for node, peer in each]
    try:
        yield opened
    finally:
        for terminal in opened:
            terminal.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path_factory.mktemp("verify"), 0, 1) as (ada, ben):
        ada.start()
        ben.start()
        befriend(ada, ben)
        ada.ok("contact", "alias", ben.id, "ben")
        ben.ok("contact", "alias", ada.id, "ada")
        yield ada, ben


PICTURES = r"(  1  .*?  4  [^\n]*\n)"


@pytest.mark.slow
def test_two_people_compare_and_agree_and_then_do_not(pair: tuple[Node, Node]) -> None:
    ada, ben = pair
    with terminals((ada, "ben")) as (first,):
        first.see("contact verify pc1.{8} --live")
        wait_for(
            lambda: any("contact verify ada --live" in e.get("text", "") for e in ben.lines("recv", "--all", "--peek")),
            seconds=20,
            what="the invitation",
        )
        with terminals((ben, "ada")) as (second,):
            assert first.see(PICTURES) == second.see(PICTURES)
            assert not ada.json("contact", "show", "ben")["verified"], "nobody has said yes"
            first.see("in this order")
            first.type("yes\n")
            second.see("in this order")
            second.type("yes\n")
            assert (first.end(), second.end()) == (0, 0)
            assert "their answer  yes" in first.screen and "their answer  yes" in second.screen
    assert ada.json("contact", "show", "ben")["verified"] and ben.json("contact", "show", "ada")["verified"]

    with terminals((ada, "ben"), (ben, "ada")) as (first, second):
        first.see("in this order")
        second.see("in this order")
        first.type("yes\n")
        second.type("no\n")
        assert (first.end(), second.end()) == (6, 6)
    assert not ada.json("contact", "show", "ben")["verified"] and not ben.json("contact", "show", "ada")["verified"]
    for node in pair:
        assert "somebody may stand between" in node.lines("recv", "--all", "--since", "0")[-1]["text"]


@pytest.mark.slow
def test_a_daemon_that_dies_in_between_is_a_clean_error(pair: tuple[Node, Node]) -> None:
    ada, ben = pair
    with terminals((ada, "ben"), (ben, "ada")) as (first, second):
        first.see("in this order")
        second.see("in this order")
        ben.kill("vault")
        second.type("yes\n")
        assert second.end() == 1
        assert "not under way any more" in second.screen
        first.type("\x04")  # Ctrl-D at the question
        assert first.end() == 130
    assert not ben.json("contact", "show", "ada")["verified"]


@pytest.mark.slow
def test_a_program_takes_what_comes_and_what_it_refuses_is_not_lost(pair: tuple[Node, Node], tmp_path: Path) -> None:
    ada, ben = pair
    taken = tmp_path / "taken"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nread -r line\ncase $line in *poison*) exit 3;; esac\necho \"$line\" >>'{taken}'\n")
    program.chmod(0o755)
    words = ["recv", "--reader", "bot", "--follow", "--exec", str(program)]
    with subprocess.Popen([*P2PCHAT, *words], env=ben.environ, stderr=subprocess.PIPE, text=True) as bot:
        for text in ("one", "poison", "two"):
            ada.ok("send", "ben", text, "--wait", "delivered")
        wait_for(lambda: taken.exists() and "one" in taken.read_text(), seconds=20, what="the first")
        assert bot.stderr is not None
        assert "exit status 3 at event" in bot.stderr.readline()
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(10) == 128 + signal.SIGTERM
    assert [json.loads(line)["text"] for line in taken.read_text().splitlines()] == ["one"]
    # The daemon has counted: the rest of the tries, then the way is free.
    poison = next(event for event in ben.lines("recv", "--since", "0") if event["text"] == "poison")
    told = {"reader": "bot", "cursor": poison["cursor"], "tries": 6}
    assert ben.json("rpc", "call", "event.failed", json.dumps(told))["given_up"]
    ben.ok("recv", "--reader", "bot", "--exec", str(program))
    assert [json.loads(line)["text"] for line in taken.read_text().splitlines()] == ["one", "two"]
    warning = ben.lines("recv", "--all", "--since", "0")[-1]
    assert f"recv --since {poison['cursor'] - 1} --limit 1 --exec PROGRAM" in warning["text"]
    assert "poison" in ben.ok("history", "ada")


@pytest.mark.slow
def test_a_frozen_daemon_holds_nobody_for_long(pair: tuple[Node, Node]) -> None:
    ada, _ = pair
    vault = ada.processes()["vault"]
    os.kill(vault, signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        done = ada.run("--json", "status")
        assert time.monotonic() - began_s < 20
    finally:
        os.kill(vault, signal.SIGCONT)
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (7, "TIMEOUT")
    assert "has not answered for 10 s" in done.stderr
