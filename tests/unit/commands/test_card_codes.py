"""Codes of cards and IDs: drawn where the user wants them, read from pictures, and taken at their word only so far."""

from dataclasses import replace
from pathlib import Path

import pytest

from p2pchat.qr.draw import png
from p2pchat.rpc.schema import OUTPUTS
from p2pchat.wire.card_code import read_card_code, write_card_code
from p2pchat.wire.structs import Address, CardCode
from tests.support.answers import CONTACT, MADE, WHO
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import ALICE, BOB, FakeDaemon
from tests.support.identities import stored_identity

CODE = CardCode(
    user=stored_identity(1).user,
    head16=b"h" * 16,
    set_sequence=1,
    set_hash16=b"s" * 16,
    not_after_ms=1_800_000_000_000,
    addresses=tuple(
        Address(host=host, port=9000, carrier=carrier)
        for host in ("192.0.2.1", "2001:db8::1", "evil.example")
        for carrier in ("ws", "raw")
    ),
)


def test_a_code_holds_what_was_put_in() -> None:
    assert read_card_code(write_card_code(CODE)) == CODE


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_code_is_drawn_by_the_ending_of_its_name(fake: FakeDaemon, tmp_path: Path, ending: str) -> None:
    fake.answers |= {"contact.card": MADE, "whoami": WHO}
    card, who = tmp_path / f"card.{ending}", tmp_path / f"me.{ending.upper()}"
    for verb, out in (("contact card", card), ("whoami", who)):
        done = p2pchat("--json", *verb.split(), "--qr", "--out", str(out))
        assert done.json["file"] == str(out)
        OUTPUTS[verb].check({k: v for k, v in done.json.items() if k != "v"}, verb)
        assert out.read_bytes()[:4] in {b"\x89PNG", b"<svg"}
        assert p2pchat(*verb.split(), "--qr", "--out", str(out)).status == 1  # it could be any picture
        (tmp_path / "mine.png").write_text("mine")
        assert p2pchat(*verb.split(), "--qr", "--out", str(tmp_path / "mine.png")).status == 1


def test_a_code_goes_to_the_terminal_with_words_below(fake: FakeDaemon) -> None:
    fake.answers |= {"contact.card": MADE, "whoami": WHO}
    assert p2pchat("whoami", "--qr").out.splitlines()[-1] == ALICE
    assert ALICE[:11] in p2pchat("contact", "card", "--qr").out.splitlines()[-1]
    for words in ("whoami --qr --json", "contact card --qr --json", "whoami --out x.png", "whoami --qr --out x.gif"):
        assert p2pchat(*words.split()).status == 2, words


def test_a_picture_of_a_card_is_added_and_the_gate_hears_its_addresses(fake: FakeDaemon, tmp_path: Path) -> None:
    fake.answers |= {"contact.add": CONTACT, "contact.address": {"id": BOB, "addresses": []}}
    photo = tmp_path / "card.png"
    photo.write_bytes(png(write_card_code(CODE)))
    assert p2pchat("contact", "add", str(photo), "--alias", "bob").status == 0
    calls = [call for call in fake.calls if call[0] in fake.answers]
    assert calls == [
        ("contact.add", {"code": write_card_code(CODE), "alias": "bob"}),
        (
            "contact.address",
            {"id": BOB, "addresses": ["192.0.2.1:9000", "[2001:db8::1]:9000"], "lan": True, "some": True},
        ),
    ]
    assert p2pchat("contact", "add", "-", stdin=f" {write_card_code(CODE)}\n".encode()).status == 0


def test_H066_pictures_without_one_card_in_them_say_what_is_in_them(fake: FakeDaemon, tmp_path: Path) -> None:
    for text, sentence in (
        ("https://example.org/", "no card of p2pchat"),
        (ALICE.upper(), "an ID alone"),
        (write_card_code(CODE)[:-2] + "AA", "damaged"),
        ("P2PC", "damaged"),
    ):
        photo = tmp_path / "photo.png"
        photo.write_bytes(png(text))
        done = p2pchat("contact", "add", str(photo))
        assert (done.status in {1, 6}, sentence in done.err) == (True, True), done.err
    assert not [call for call in fake.calls if call[0] == "contact.add"]
    newer = replace(CODE, addresses=())
    assert read_card_code(write_card_code(newer)) == newer
