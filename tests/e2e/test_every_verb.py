"""Every verb against real daemons: what --json prints is what the contract says, and nothing acts on a terminal.

A contact of the node that is asked has a nickname, a request's words and texts that try whatever a terminal obeys; so
each verb also shows how it prints what others wrote.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from p2pchat.commands.new_home import make_home, read_primes
from p2pchat.home import Home
from p2pchat.rpc.schema import OUTPUTS
from tests.support.daemons import PASSWORD, Node, nodes, wait_for
from tests.support.terminal import Terminal
from tests.unit.test_cli import COMMANDS

pytestmark = pytest.mark.slow

HOSTILE: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\rme: yes\n2026-01-01 08:00:00  me: I agree\u202egnp\u2066\u200b\u0301"
NICKNAME: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\rme\u202e\u2066"
ACTING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066\u2067\u200b]")
COLUMNS: Final = 400

# verb -> words behind it; {} names: the contact, ids of messages, files. None: seen elsewhere, with the reason.
WORDS: Final[dict[str, str | None]] = {
    "init": None,  # tests/unit/commands/test_init.py: it takes ten seconds
    "login": None,  # tests/e2e/test_login.py
    "key show": "",
    "key export": "string --out {folder}/copy.txt --force --kdf light",
    "key combine": None,  # tests/e2e/test_login.py
    "key verify": "{folder}/kept.txt",
    "key inspect": "{folder}/kept.txt",
    "key rotate": None,  # tests/e2e/test_rotation.py: it takes ten seconds
    "key passwd": "--new-password-file {password} --kdf light",
    "daemon run": None,  # tests/e2e/test_unit.py
    "daemon start": "",  # of a second node, below
    "daemon stop": "",
    "daemon status": "",
    "daemon unit": "--password-file {password}",
    "whoami": "--qr --out {folder}/me.png",
    "status": "",
    "contact card": "--out {folder}/mine.card",
    "contact add": "{folder}/evil.card",
    "contact requests": "",
    "contact accept": "{evil}",
    "contact reject": "{stranger}",
    "contact list": "",
    "contact show": "{evil}",
    "contact alias": "{evil} eve",
    "contact address": "{evil} 127.0.0.1:9000 --lan",
    "contact block": "{evil}",
    "contact unblock": "{evil}",
    "contact retry": "{evil}",
    "contact verify": "{evil}",
    "contact remove": "{evil}",
    "send": "{evil} hello",
    "recv": "--all --since 0",
    "history": "{evil}",
    "message show": "{incoming}",
    "outbox list": "",
    "outbox show": "{outgoing}",
    "outbox retry": "",
    "outbox cancel": "{doomed}",
    "message withdraw": "{outgoing}",
    "net status": "",
    "config path": "",
    "config list": "",
    "config get": "listen",
    "config set": "receipts true",
    "demo": None,  # tests/e2e/test_demo.py
    "doctor": "--store",
    "metrics": "",
    "rpc call": "contact.list",
    "rpc schema": "",
    "completion": "bash",
    "version": "",
}
LAST: Final = ("contact block", "contact unblock", "contact remove", "contact reject", "daemon stop", "daemon start")
ONCE: Final = {
    "whoami",
    "contact reject",
    "contact remove",
    "contact unblock",
    "outbox cancel",
    "daemon stop",
    "daemon start",
}
NOT_OURS: Final = {"rpc call", "rpc schema", "completion"}  # a method's own shape, a JSON Schema, a script


@dataclass
class Stage:
    node: Node
    names: dict[str, str]

    def words(self, verb: str) -> list[str]:
        words = WORDS[verb]
        assert words is not None
        return [*verb.split(), *words.format(**self.names).split()]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("every")
    with nodes(folder, 1) as (node,):
        evil, stranger = Node(folder / "evil"), Node(folder / "stranger")
        identities = Path(__file__).parents[1] / "support" / "identities"
        for other, index in ((evil, 0), (stranger, 2)):
            primes = read_primes(identities / f"{index}.hex")
            make_home(Home(other.path, other.path), primes, PASSWORD.encode(), nickname=NICKNAME, light=True)
        try:
            for each in (node, evil, stranger):
                each.start()
            (folder / "node.card").write_text(node.ok("contact", "card"))
            (folder / "evil.card").write_text(evil.ok("contact", "card"))
            for other in (evil, stranger):
                other.ok("contact", "add", str(folder / "node.card"), "--message", HOSTILE)
            wait_for(lambda: len(node.lines("contact", "requests")) == 2, seconds=30, what="both requests")
            node.ok("contact", "accept", evil.id)
            wait_for(lambda: evil.lines("contact", "list")[0]["state"] == "accepted", seconds=30, what="acceptance")
            evil.ok("send", node.id, "-", "--wait", "delivered", stdin=HOSTILE)
            incoming = node.lines("history", evil.id)[0]["message"]
            evil_id, stranger_id = evil.id, stranger.id
            evil.stop()  # so that something waits in the outbox
            outgoing = node.json("send", evil_id, "are you there?")["message"]
            doomed = node.json("send", evil_id, "never mind")["message"]
            kept = str(folder / "kept.txt")  # for verbs that another worker may run before `key export`
            node.ok("key", "export", "string", "--out", kept, "--kdf", "light")
            names = {"evil": evil_id, "stranger": stranger_id, "incoming": incoming, "outgoing": outgoing}
            yield Stage(node, {**names, "doomed": doomed, "folder": str(folder), "password": str(node.password_file)})
        finally:
            evil.kill()
            stranger.kill()


def test_every_verb_has_words() -> None:
    nouns = {name.split()[0] for name, _ in COMMANDS if " " in name}
    assert WORDS.keys() == {name for name, _ in COMMANDS} - nouns


def sensible(verb: str, shape: Any, name: str = "") -> None:
    """Times are whole milliseconds since 1970 and say so; sizes are bytes and say so."""
    if isinstance(shape, dict):
        for key, value in shape.items():
            sensible(verb, value, key)
    elif isinstance(shape, list):
        for value in shape:
            sensible(verb, value, name)
    elif isinstance(shape, int) and not isinstance(shape, bool):
        year_ms = 366 * 86_400_000
        is_time = abs(shape - time.time() * 1000) < 2 * year_ms
        assert is_time == name.endswith("_ms"), f"{verb}: {name} = {shape}"


def judge_json(verb: str, out: str) -> None:
    assert out.isascii() and not ACTING.search(out)
    for line in out.splitlines():
        shape = json.loads(line)
        assert shape.pop("v") == 1
        OUTPUTS[verb].check(shape, verb)
        if verb != "metrics":
            sensible(verb, shape)


def judge_words(verb: str, out: str) -> None:
    """On a terminal: drawing and nothing else, and no line that begins with words of somebody else."""
    assert not ACTING.search(out), ascii(out)
    terminal = Terminal(columns=COLUMNS, lines=out.count("\n") + len(out) // COLUMNS + 2)
    terminal.show(out)
    assert terminal.acts == [] and terminal.title == "", verb
    assert not [row for row in terminal.rows() if row.startswith(("me: yes", "2026-01-01 08:00:00"))], verb


ORDER: Final = [verb for verb in WORDS if WORDS[verb] is not None and verb not in LAST]


@pytest.mark.parametrize("verb", [*ORDER, *LAST])
def test_a_verb_keeps_to_the_contract(stage: Stage, verb: str) -> None:
    words = stage.words(verb)
    forms = [(words, judge_words), (["--json", *words], judge_json)]
    for given, judge in forms[1:] if verb in ONCE else forms:  # what can be done only once is asked for its object
        done = stage.node.run(*given)
        assert done.returncode in ({0, 1} if verb == "doctor" else {0}), done
        assert done.stdout, "there was something to show"
        if verb not in NOT_OURS:
            judge(verb, done.stdout)
        judge_words(verb, done.stderr)


def test_what_others_wrote_was_there_to_be_shown(stage: Stage) -> None:
    """Otherwise the above would prove nothing. The daemon was stopped and started again by then."""
    texts = [event.get("text", "") for event in stage.node.lines("recv", "--all", "--since", "0")]
    assert HOSTILE in texts
    shown = stage.node.ok("recv", "--all", "--since", "0")
    assert shown.count("<U+001B>") >= 4 and "<U+202E>" in shown
