"""Every verb against a daemon that answers by the method table: what is asked, and what is printed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from p2pchat import __version__
from p2pchat.errors import Ambiguous, NotFound
from p2pchat.launch.lock import acquire
from p2pchat.rpc.methods import METHODS
from p2pchat.rpc.schema import OUTPUTS
from tests.support.answers import (
    CARD,
    CONTACT,
    DAEMON,
    KEY,
    REQUEST,
    ROW,
    SETTING,
    SHOWN,
    STATUS,
    VERIFIED,
    WAITING,
    WHO,
    page,
)
from tests.support.command_line import Done, p2pchat
from tests.support.fake_daemon import ALICE, BOB, MESSAGE, FakeDaemon

# words, method, its answer, the parameters that are asked, what is printed
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("whoami", "whoami", WHO, {}, WHO),
    ("status", "status", STATUS, {}, STATUS),
    ("key show", "key.show", KEY, {}, KEY),
    ("history bob", "history", page(ROW), {"peer": "bob"}, ROW),
    ("history bob --search train", "history", page(ROW), {"peer": "bob", "search": "train"}, ROW),
    ("history bob --limit 20", "history", page(ROW), {"peer": "bob", "last": 20}, ROW),
    ("message show 01234567", "message.show", SHOWN, {"message": "01234567"}, SHOWN),
    ("message withdraw 01234567", "message.withdraw", SHOWN, {"message": "01234567"}, SHOWN),
    ("outbox list", "outbox.list", page(WAITING), {}, WAITING),
    ("outbox show 01234567", "outbox.show", page(WAITING), {"message": "01234567"}, WAITING),
    ("outbox retry", "outbox.retry", page(WAITING), {}, WAITING),
    ("outbox retry 01234567", "outbox.retry", page(WAITING), {"message": "01234567"}, WAITING),
    ("outbox cancel 01234567", "outbox.cancel", page(WAITING), {"message": "01234567"}, WAITING),
    ("contact requests", "contact.requests", page(REQUEST), {}, REQUEST),
    ("contact accept pc1zzzzzzzz", "contact.accept", CONTACT, {"id": "pc1zzzzzzzz"}, CONTACT),
    (
        "contact reject bob",
        "contact.reject",
        {"id": BOB, "rejected": True},
        {"id": "bob"},
        {"id": BOB, "rejected": True},
    ),
    ("contact list", "contact.list", page(CONTACT), {}, CONTACT),
    ("contact show bob", "contact.show", CONTACT, {"peer": "bob"}, CONTACT),
    ("contact alias bob rob", "contact.alias", CONTACT, {"peer": "bob", "alias": "rob"}, CONTACT),
    ("contact block bob", "contact.block", CONTACT, {"peer": "bob"}, CONTACT),
    ("contact unblock bob", "contact.unblock", CONTACT, {"peer": "bob"}, CONTACT),
    (
        "contact remove bob",
        "contact.remove",
        {"id": BOB, "removed": True},
        {"peer": "bob"},
        {"id": BOB, "removed": True},
    ),
    ("contact verify bob", "contact.verify", VERIFIED, {"peer": "bob"}, VERIFIED),
    ("config set receipts yes", "config.set", SETTING, {"key": "receipts", "value": "yes"}, SETTING),
]


@pytest.mark.parametrize(("words", "method", "answer", "asked", "printed"), CASES, ids=[case[0] for case in CASES])
def test_a_verb_asks_its_method_and_prints_what_the_schema_says(
    fake: FakeDaemon, words: str, method: str, answer: dict[str, Any], asked: dict[str, Any], printed: dict[str, Any]
) -> None:
    fake.answers[method] = answer
    done = p2pchat("--json", *words.split())
    assert (done.status, done.err) == (0, "")
    assert done.json == {"v": 1, **printed}
    assert fake.calls == [(method, asked)]
    verb = " ".join(words.split()[:2])
    OUTPUTS[verb if verb in OUTPUTS else words.partition(" ")[0]].check(printed, words)


@pytest.mark.parametrize(("words", "method", "answer", "asked", "printed"), CASES, ids=[case[0] for case in CASES])
def test_people_get_clean_lines(
    fake: FakeDaemon, words: str, method: str, answer: dict[str, Any], asked: dict[str, Any], printed: dict[str, Any]
) -> None:
    fake.answers["contact.show"] = CONTACT  # history names the sender
    fake.answers[method] = answer
    done = p2pchat(*words.split())
    assert done.status == 0
    assert done.out and "\x1b" not in done.out + done.err


def test_every_method_has_a_verb_and_every_verb_a_schema() -> None:
    from p2pchat.cli import root

    context = root.make_context("p2pchat", ["--quiet"], resilient_parsing=True)
    verbs = set()
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        verbs |= {f"{name} {sub}" for sub in getattr(command, "commands", {})} or {name}
    unprinted = {"rpc call", "rpc schema", "completion"}  # their output is no object, or not one of ours
    assert verbs - unprinted == OUTPUTS.keys()
    of_send, of_recv, of_others = (
        {"message.wait"},
        {"event.next", "event.failed"},
        {"key.backup", "key.verified", "net.peers", "net.metrics", "store.check"}
        | {"compare.begin", "compare.wait", "compare.answer"},
    )
    assert {verb.replace(" ", ".") for verb in verbs} >= METHODS.keys() - of_send - of_recv - of_others


def test_a_long_list_is_asked_for_in_pages(fake: FakeDaemon) -> None:
    def pages(params: dict[str, Any]) -> dict[str, Any]:
        number = int(params.get("page", "0"))
        return {"items": [{**CONTACT, "alias": f"c{number}"}], "next": str(number + 1) if number < 3 else None}

    fake.answers["contact.list"] = pages
    assert [line["alias"] for line in p2pchat("--json", "contact", "list").lines] == ["c0", "c1", "c2", "c3"]


def test_an_empty_list_prints_nothing(fake: FakeDaemon) -> None:
    fake.answers |= {name: {"items": [], "next": None} for name in ("contact.list", "outbox.list", "contact.requests")}
    for words in ("contact list", "outbox list", "contact requests"):
        assert p2pchat(*words.split()) == Done(0, "", "")
        assert p2pchat("--json", *words.split()) == Done(0, "", "")


def test_json_is_ascii_and_whole(fake: FakeDaemon) -> None:
    nasty = "\x1b[2J\u202e\u200b Grüße 👋"
    fake.answers["contact.show"] = {**CONTACT, "nickname": nasty}
    done = p2pchat("contact", "show", "bob", "--json")
    assert done.out.isascii() and "\x1b" not in done.out
    assert done.json["nickname"] == nasty


def test_names_that_look_alike_are_marked(fake: FakeDaemon) -> None:
    rows = [{**CONTACT, "nickname": name} for name in ("bob", "Воb", "ada")]
    fake.answers["contact.list"] = {"items": rows, "next": None}
    rows = [{**row, "id": row["id"][:-1] + str(at + 2)} for at, row in enumerate(rows)]
    fake.answers["contact.list"] = {"items": rows, "next": None}
    lines = p2pchat("contact", "list").out.splitlines()
    assert ["looks like" in line for line in lines] == [True, True, False]


def test_history_shows_withdrawn_and_unknown_messages(fake: FakeDaemon) -> None:
    rows = [
        {**ROW, "text": "", "withdrawn": True},
        {**ROW, "text": "", "needs_newer_version": True},
        {**ROW, "direction": "out", "text": "a\nb"},
        *({**ROW, "sent_ms": ms} for ms in (0, 4_900_000_000_000, 2**53 - 1)),
    ]
    fake.answers |= {"history": {"items": rows, "next": None}, "contact.show": {**CONTACT, "alias": "rob"}}
    out = p2pchat("history", "bob").out.splitlines()
    assert out[0].endswith("pc1zzzzzzzz rob: (withdrawn)")
    assert out[1].endswith("(needs a newer version of p2pchat)")
    assert out[2].endswith("me [delivered]:") and out[3:5] == ["  | a", "  | b"]
    assert len(out) == 8 and all("(clock wrong)  pc1zzzzzzzz rob: hi" in line for line in out[5:])


def test_contact_add_reads_the_file_and_passes_its_bytes(fake: FakeDaemon, tmp_path: Path) -> None:
    fake.answers["contact.add"] = CONTACT
    file = tmp_path / "bob.card"
    file.write_bytes(CARD)
    done = p2pchat("--json", "contact", "add", str(file), "--alias", "rob", "--message", "Ada, from work")
    assert done.json == {"v": 1, **CONTACT}
    assert p2pchat("contact", "add", "-", stdin=CARD).status == 0
    assert fake.asked("contact.add") == [{"card": CARD, "alias": "rob", "message": "Ada, from work"}, {"card": CARD}]


@pytest.mark.parametrize(("state", "told"), [("requested", False), ("accepted", True)])
def test_words_that_go_nowhere_are_not_dropped_silently(fake: FakeDaemon, state: str, told: bool) -> None:
    fake.answers["contact.add"] = {**CONTACT, "state": state}
    done = p2pchat("contact", "add", "-", "--message", "Ada, from work", stdin=CARD)
    assert done.status == 0
    assert ("the words did not go" in done.err) is told
    assert "words" not in p2pchat("contact", "add", "-", stdin=CARD).err


def test_the_history_of_somebody_who_was_removed_has_no_name(fake: FakeDaemon) -> None:
    def gone(_params: object) -> dict[str, object]:
        raise NotFound("no contact (any more)", hint="p2pchat contact list")

    fake.answers |= {"history": page(ROW), "contact.show": gone}
    assert p2pchat("history", BOB).out.endswith("pc1zzzzzzzz: hi\n")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("../../x", 5, "NOT_FOUND"),
        ("~root/x", 5, "NOT_FOUND"),
        ("a\0b", 5, "NOT_FOUND"),
        ("/", 1, "FAILED"),
        ("/dev/zero", 6, "CORRUPT"),
        ("x" * 5000, 1, "FAILED"),
        (BOB, 5, "NOT_FOUND"),
    ],
)
def test_H013_odd_paths_end_here_and_never_reach_the_daemon(
    fake: FakeDaemon, path: str, status: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = p2pchat("--json", "contact", "add", path)
    assert (done.status, done.error["code"]) == (status, code)
    assert fake.calls == []


def test_typed_addresses_go_to_the_gate_under_the_whole_id(fake: FakeDaemon) -> None:
    fake.answers["contact.show"] = CONTACT
    fake.answers["contact.address"] = {"id": BOB, "addresses": ["10.0.0.7:9000"]}
    done = p2pchat("--json", "contact", "address", "bob", "10.0.0.7:9000", "--lan")
    assert done.json == {"v": 1, "id": BOB, "addresses": ["10.0.0.7:9000"]}
    assert fake.calls == [
        ("contact.show", {"peer": "bob"}),
        ("contact.address", {"id": BOB, "addresses": ["10.0.0.7:9000"], "lan": True, "some": False}),
    ]
    for ill in (["nonsense"], ["h:0"], ["h:70000"], [], ["h:1"] * 9):
        assert p2pchat("contact", "address", "bob", *ill).status == 2


def test_an_empty_alias_takes_the_alias_away(fake: FakeDaemon) -> None:
    fake.answers["contact.alias"] = CONTACT
    assert p2pchat("contact", "alias", "bob", "").status == 0
    assert fake.calls == [("contact.alias", {"peer": "bob", "alias": None})]


def test_the_safety_number_is_grouped_for_people(fake: FakeDaemon) -> None:
    fake.answers["contact.verify"] = VERIFIED
    assert "01234 56789 01234" in p2pchat("contact", "verify", "bob").out


def test_daemon_status_tells_the_socket(fake: FakeDaemon, home: Path) -> None:
    fake.answers["daemon.status"] = DAEMON
    done = p2pchat("--json", "daemon", "status")
    assert done.json == {"v": 1, "running": True, **DAEMON, "socket": str(home / "rpc.sock")}
    OUTPUTS["daemon status"].check({k: v for k, v in done.json.items() if k != "v"}, "daemon status")


def test_rpc_call_passes_json_through(fake: FakeDaemon) -> None:
    fake.answers |= {"contact.show": CONTACT, "contact.address": {"id": BOB, "addresses": ["h:1"]}}
    done = p2pchat("rpc", "call", "contact.show", '{"peer": "bob"}')
    assert done.json == {"v": 1, **CONTACT}
    on_gate = json.dumps({"id": BOB, "addresses": ["h:1"]}).encode()
    assert p2pchat("rpc", "call", "contact.address", "-", stdin=on_gate).status == 0
    for words, status in (("nope", 2), ("status [", 1), ("status []", 1), ('status {"a":1,"a":2}', 1)):
        assert p2pchat("rpc", "call", *words.split()).status == status


def test_rpc_schema_needs_no_daemon(home: Path) -> None:
    assert json.loads(p2pchat("rpc", "schema").out)["v"] == 1
    assert p2pchat("rpc", "schema", "--json").json["methods"].keys() == METHODS.keys()


def test_version_needs_neither_home_nor_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("P2PCHAT_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    assert p2pchat("version", "--json").json["version"] == __version__


def test_an_ambiguous_name_lists_the_candidates(fake: FakeDaemon) -> None:
    def ambiguous(_params: object) -> dict[str, object]:
        raise Ambiguous(
            "two contacts are called bob", hint="p2pchat contact list", candidates=["pc1aaaaaaaa", "pc1b\x1b"]
        )

    fake.answers["contact.show"] = ambiguous
    done = p2pchat("contact", "show", "bob")
    assert done.status == 5
    assert done.err.splitlines() == [
        "error: two contacts are called bob",
        "  pc1aaaaaaaa",
        "  pc1b<U+001B>",
        "hint: p2pchat contact list",
    ]


def test_an_error_is_one_object_under_json(fake: FakeDaemon) -> None:
    def missing(_params: object) -> dict[str, object]:
        raise NotFound("nobody is called bob", hint="p2pchat contact list")

    fake.answers["contact.show"] = missing
    done = p2pchat("contact", "show", "bob", "--json")
    assert (done.status, done.out) == (5, "")
    shape = {"code": "NOT_FOUND", "number": 1005, "message": "nobody is called bob", "hint": "p2pchat contact list"}
    assert json.loads(done.err) == {"v": 1, "error": shape}


@pytest.mark.parametrize(
    "words", [["message", "show"], ["message", "withdraw"], ["outbox", "show"], ["outbox", "retry"]]
)
@pytest.mark.parametrize("id_", ["00", "zzzzzzzz", "f" * 33, ""])
def test_what_is_no_message_id_is_a_slip_of_the_keyboard(fake: FakeDaemon, words: list[str], id_: str) -> None:
    done = p2pchat("--json", *words, id_)
    assert (done.status, done.error["code"]) == (2, "USAGE")
    assert fake.calls == []


def test_a_message_id_may_be_typed_in_capitals(fake: FakeDaemon) -> None:
    fake.answers["message.show"] = SHOWN
    assert p2pchat("message", "show", MESSAGE.upper()).status == 0
    assert fake.asked("message.show") == [{"message": MESSAGE}]


def test_a_cancelled_message_does_not_look_empty(fake: FakeDaemon) -> None:
    cancelled = {**ROW, "direction": "out", "state": "failed", "text": "", "from": ALICE}
    fake.answers |= {"history": {"items": [cancelled], "next": None}, "contact.show": CONTACT}
    assert p2pchat("history", "bob").out.endswith("me [failed]: (given up; its text was deleted)\n")


def test_a_daemon_whose_socket_was_removed_is_not_called_stopped(home: Path) -> None:
    held = acquire(home / "lock")
    try:
        done = p2pchat("--json", "whoami")
    finally:
        os.close(held)
    assert (done.status, done.error["code"]) == (3, "NO_DAEMON")
    assert f"process {os.getpid()}" in done.error["message"] and "daemon stop" in done.error["hint"]


def test_a_long_nickname_does_not_push_the_other_columns_off_the_screen(fake: FakeDaemon) -> None:
    fake.answers["contact.list"] = {"items": [{**CONTACT, "nickname": "\x1b" * 64}], "next": None}
    (row,) = p2pchat("contact", "list").out.splitlines()
    assert len(row) < 110 and "<U+001B>" in row and row.endswith("192.0.2.1:9000")
