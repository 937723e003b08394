"""Completion: what a Tab offers, with and without a daemon, and that nothing a peer wrote reaches a shell's line."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from p2pchat import cli
from p2pchat.commands import candidates, completion
from p2pchat.errors import Failed
from tests.support.answers import CONTACT, REQUEST, ROW, WAITING, page
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import ALICE, BOB, MESSAGE, FakeDaemon

SHORT = BOB[:11]


def tab(monkeypatch: pytest.MonkeyPatch, line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The words that a shell is given for the last word of ``line``."""
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    assert completion.answer(cli.root, "bash_complete") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return [entry.partition(",")[2] or entry.partition(",")[0] for entry in printed.out.split()]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    return lambda line: tab(monkeypatch, line, capsys)


def test_verbs_options_and_choices_need_no_daemon(home: Path, typed: Any) -> None:
    assert typed("p2pchat con") == ["contact", "config"]
    assert typed("p2pchat --js") == ["--json"]
    assert {"add", "accept", "alias", "address"} == set(typed("p2pchat contact a"))
    assert typed("p2pchat send --wait d") == ["delivered"]
    assert typed("p2pchat completion ") == ["bash", "zsh", "fish"]
    assert "receipts" in typed("p2pchat config get ")
    assert "contact.list" in typed("p2pchat rpc call contact.")
    assert typed("p2pchat contact add ") == ["file"]
    assert typed("p2pchat --home ") == ["dir"]


def test_a_tab_without_a_daemon_is_silent(home: Path, typed: Any) -> None:
    for line in ("p2pchat contact show ", "p2pchat message show ", "p2pchat outbox cancel ", "p2pchat contact accept "):
        assert typed(line) == []


def test_contacts_by_alias_nickname_or_id(fake: FakeDaemon, typed: Any) -> None:
    rows = [{**CONTACT, "alias": "ben"}, {**CONTACT, "id": ALICE, "nickname": "carol"}]
    fake.answers["contact.list"] = {"items": rows, "next": None}
    assert typed("p2pchat send ") == ["ben", "carol"]
    assert typed("p2pchat history b") == ["ben"]
    assert typed("p2pchat contact show pc1") == [BOB[:11], ALICE[:11]]
    assert typed("p2pchat --json recv --from c") == ["carol"]


@pytest.mark.parametrize("nickname", ["$(id)", "`id`", "a b", "a;b", "-rf", "*", "~", "x\ny", "\x1b[2J", "a'b", ""])
def test_a_nickname_that_a_shell_could_act_on_is_never_offered(fake: FakeDaemon, typed: Any, nickname: str) -> None:
    fake.answers["contact.list"] = page({**CONTACT, "nickname": nickname})
    assert typed("p2pchat send ") == [SHORT]


def test_ids_of_requests_and_messages(fake: FakeDaemon, typed: Any) -> None:
    other = "f" * 32
    fake.answers |= {
        "contact.requests": {"items": [REQUEST, {**REQUEST, "id": ALICE, "direction": "out"}], "next": None},
        "outbox.list": page(WAITING),
        "contact.list": page(CONTACT),
        "history": page({**ROW, "message": other}),
    }
    assert typed("p2pchat contact accept ") == [SHORT]
    assert typed("p2pchat outbox cancel ") == [MESSAGE]
    assert typed("p2pchat message show ") == [MESSAGE, other]
    assert typed("p2pchat message withdraw f") == [other]


def test_lists_of_several_pages(fake: FakeDaemon, typed: Any) -> None:
    def pages(params: dict[str, Any]) -> dict[str, Any]:
        number = int(params.get("page", "0"))
        return {"items": [{**CONTACT, "alias": f"c{number}"}], "next": str(number + 1) if number < 3 else None}

    fake.answers["contact.list"] = pages
    assert typed("p2pchat send ") == ["c0", "c1", "c2", "c3"]


def test_a_daemon_that_refuses_or_hangs_costs_half_a_second_and_no_word(fake: FakeDaemon, typed: Any) -> None:
    def refuse(_params: Any) -> dict[str, Any]:
        raise Failed("no")

    fake.answers["contact.list"] = refuse
    assert typed("p2pchat send ") == []
    release = threading.Event()
    fake.answers["contact.list"] = lambda _: release.wait(60) and page(CONTACT)
    began_s = time.monotonic()
    assert typed("p2pchat send ") == []
    release.set()
    assert time.monotonic() - began_s < 20 * candidates.BUDGET_S, "without a budget it would be a minute"


@pytest.mark.parametrize("instruction", ["bash_source", "bash", "tcsh_complete", "", "bash_complete_x"])
def test_what_no_script_of_ours_asks_is_refused(instruction: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert completion.answer(cli.root, instruction) == 1
    assert capsys.readouterr() == ("", "")


def test_a_tab_on_a_line_that_makes_no_sense_is_silent(home: Path, typed: Any) -> None:
    assert "send" in typed("p2pchat nonsense more "), "as if the word were not there"
    assert typed("p2pchat contact show bob carol ") == []


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_scripts(shell: str, tmp_path: Path) -> None:
    done = p2pchat("completion", shell)
    assert (done.status, done.err) == (0, "")
    assert completion.VARIABLE in done.out and "p2pchat" in done.out
    if program := shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(done.out)
        assert subprocess.run([program, "-n", str(file)], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_a_real_bash_completes(home: Path, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(p2pchat("completion", "bash").out)
    program = tmp_path / "p2pchat"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m p2pchat "$@"\n')
    program.chmod(0o755)
    words = 'COMP_WORDS=(p2pchat contact re); COMP_CWORD=2; _p2pchat_completion "$1"; echo "${COMPREPLY[@]}"'
    command = ["bash", "--norc", "-c", f'source "$0"; {words}', str(tmp_path / "script"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"requests", "reject", "remove"} <= set(done.stdout.split()), done
    assert done.stderr == ""
