"""Cards as files of the user: written whole, over older cards alone, or to the terminal."""

from contextlib import chdir
from pathlib import Path

import pytest

from p2pchat.rpc.schema import OUTPUTS
from tests.support.answers import CARD, MADE
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import FakeDaemon

FILE = {name: value for name, value in MADE.items() if name != "code"}


def test_a_card_goes_to_stdout_to_a_file_or_into_json(fake: FakeDaemon, tmp_path: Path) -> None:
    fake.answers["contact.card"] = MADE
    assert p2pchat("contact", "card").out.encode() == CARD
    done = p2pchat("--json", "contact", "card", "--address", "h.example:1", "--address", "[::1]:2")
    assert done.json == {"v": 1, **FILE, "card": CARD.decode()}
    assert fake.calls[-1] == ("contact.card", {"addresses": ["h.example:1", "[::1]:2"]})
    file = tmp_path / "me.card"
    done = p2pchat("--json", "contact", "card", "--out", str(file))
    assert file.read_bytes() == CARD
    assert done.json == {"v": 1, "file": str(file), **{k: v for k, v in FILE.items() if k != "card"}}
    for printed in (done.json, {**done.json, "card": "text"}):
        OUTPUTS["contact card"].check({k: v for k, v in printed.items() if k != "v"}, "card")


def test_a_card_replaces_an_older_card_and_nothing_else(fake: FakeDaemon, tmp_path: Path) -> None:
    fake.answers["contact.card"] = MADE
    file = tmp_path / "me.card"
    file.write_bytes(CARD[:40])
    assert p2pchat("contact", "card", "--out", str(file)).status == 0
    assert file.read_bytes() == CARD
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    done = p2pchat("--json", "contact", "card", "--out", str(notes))
    assert (done.status, done.error["code"]) == (1, "EXISTS")
    assert notes.read_text() == "mine"
    assert p2pchat("contact", "card", "--out", str(tmp_path / "no" / "x")).status == 5


def test_a_card_without_addresses_is_pointed_out(fake: FakeDaemon) -> None:
    fake.answers["contact.card"] = {**MADE, "addresses": []}
    assert "no address" in p2pchat("contact", "card").err
    assert p2pchat("contact", "card", "--quiet").err == ""


def test_a_card_for_the_terminal_may_be_asked_for_as_a_dash(fake: FakeDaemon, tmp_path: Path) -> None:
    fake.answers["contact.card"] = MADE
    with chdir(tmp_path):
        assert p2pchat("contact", "card", "--out", "-").out.encode() == CARD
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("name", ["", "new/", "."])
def test_a_card_needs_the_name_of_a_file(fake: FakeDaemon, tmp_path: Path, name: str) -> None:
    fake.answers["contact.card"] = MADE
    with chdir(tmp_path):
        done = p2pchat("contact", "card", "--out", name)
    assert (done.status, [path.name for path in tmp_path.iterdir()]) == (1, ["home"])
    assert "is no name for a file" in done.err


def test_a_name_on_a_card_is_pointed_out_because_no_peer_looks_it_up(fake: FakeDaemon) -> None:
    fake.answers["contact.card"] = {**MADE, "addresses": ["chat.example.org:9", "[2001:db8::1]:9", "192.0.2.7:9"]}
    done = p2pchat("contact", "card")
    assert done.err.count("nobody looks up a name") == 1
    assert "contact address PEER chat.example.org:9" in done.err
