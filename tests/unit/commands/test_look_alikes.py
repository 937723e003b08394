"""Names that could be taken for another's, where a person decides whom to trust."""

from pathlib import Path

import pytest

from p2pchat.commands.look_alikes import LookAlikes
from tests.support.answers import CONTACT, REQUEST, WHO, page
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import ALICE, BOB, FakeDaemon

EVE = BOB[:-1] + "2"


@pytest.fixture(autouse=True)
def known(request: pytest.FixtureRequest) -> None:
    """Oneself is ada; a contact is bob, alias rob."""
    if "fake" in request.fixturenames:
        fake = request.getfixturevalue("fake")
        fake.answers |= {"whoami": WHO, "contact.list": page({**CONTACT, "nickname": "bob", "alias": "rob"})}


def test_H092_a_request_in_a_contact_s_name_is_marked(fake: FakeDaemon) -> None:
    for nickname, marked in (("Воb", True), ("r0b", True), ("аda", True), ("bob", True), ("carol", False)):
        fake.answers["contact.requests"] = page({**REQUEST, "id": EVE, "nickname": nickname})
        line = p2pchat("contact", "requests").out
        assert ("looks like" in line) == marked, nickname
    assert "looks like" not in p2pchat("contact", "requests", "--json").out


def test_two_requests_in_one_name_are_marked(fake: FakeDaemon) -> None:
    rows = [{**REQUEST, "id": user, "nickname": "carol"} for user in (EVE, ALICE)]
    fake.answers["contact.requests"] = {"items": rows, "next": None}
    assert p2pchat("contact", "requests").out.count("looks like") == 2


@pytest.mark.parametrize("nickname", ["me", "System", "p2рchat", "yоu"])
def test_a_word_with_which_the_program_speaks_is_marked(fake: FakeDaemon, nickname: str) -> None:
    fake.answers["contact.requests"] = page({**REQUEST, "id": EVE, "nickname": nickname})
    assert "looks like a word of this program" in p2pchat("contact", "requests").out


def test_who_is_added_or_accepted_is_looked_at(fake: FakeDaemon, tmp_path: Path) -> None:
    card = tmp_path / "eve.card"
    card.write_bytes(b"card")
    eve = {**CONTACT, "id": EVE, "nickname": "b0b"}
    fake.answers |= {"contact.add": eve, "contact.accept": eve}
    for words in (("contact", "add", str(card)), ("contact", "accept", EVE)):
        done = p2pchat(*words)
        assert done.status == 0 and f"take care: the name looks like {BOB[:11]} bob" in done.err
        assert p2pchat("--json", *words).err == ""
    fake.answers["contact.accept"] = {**CONTACT, "nickname": "bob"}
    assert p2pchat("contact", "accept", BOB).err == "", "one's own name is no double"


def test_a_request_that_comes_in_is_looked_at(fake: FakeDaemon) -> None:
    event = {"cursor": 1, "type": "contact-request", "from": EVE, "nickname": "Rоb", "text": "hi", "received_ms": 1}
    fake.answers["event.next"] = lambda params: {"events": [event] if not params.get("after") else []}
    out = p2pchat("recv", "--all").out
    assert f"{EVE[:11]} Rоb (looks like {BOB[:11]} rob) asks for contact: hi" in out


def test_nobody_is_marked_where_nobody_is_known() -> None:
    assert LookAlikes(()).mark({"id": EVE, "nickname": "bob"}) == ""
    assert LookAlikes(()).mark({"id": EVE, "nickname": None, "alias": None}) == ""
