"""``key`` and ``login``: what is refused before anybody types a password, and lines typed by hand."""

from hashlib import shake_256
from pathlib import Path

import click
import pytest

from p2pchat.commands.typed_string import typed_string
from p2pchat.ids import user_id_text
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from p2pchat.keys.backup.text import from_text, to_lines
from p2pchat.qr.draw import svg
from tests.support.answers import DAEMON, KEY
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import FakeDaemon
from tests.support.identities import stored_identity

CONTAINER = shake_256(b"typed").digest(1304)
LINES = to_lines(CONTAINER)


@pytest.mark.parametrize("numbered", [True, False], ids=["with the numbers", "without"])
def test_a_string_typed_by_hand_is_judged_line_by_line(monkeypatch: pytest.MonkeyPatch, numbered: bool) -> None:
    typed = [line if numbered else line.split("  ", 1)[1] for line in LINES]
    answers = iter([typed[0][:20], typed[0], typed[0], typed[1].lower(), "", *typed[3:]])
    asked: list[str] = []
    said: list[str] = []
    monkeypatch.setattr(click, "prompt", lambda text, **_: (asked.append(text), next(answers))[1])
    monkeypatch.setattr(click, "echo", lambda text, **_: said.append(text))
    found = from_text(typed_string())
    assert (found.container, found.repaired) == (CONTAINER, (3,))
    assert asked[:3] == ["line 1", "line 1", f"line 2 of {len(LINES)}"]
    assert "too short" in said[1] and "line 2 is wanted" in said[2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("export file --out -", "nothing for a terminal"),
        ("export string --out - --json", "--out - is for people"),
        ("export string --parity --out x", "--parity is for pdf and qr"),
        ("export file --svg --out x", "--svg is for qr"),
        ("export qr --svg --out -", "--out - is for people"),
        ("export qr --paper a4 --out x", "--paper is for pdf"),
        ("export file --shares 2/3 --out x", "--shares is for string"),
        ("export string --shares 1/3 --out x", "is not M/N"),
        ("export string --shares 2/3 --new-password-file x --out x", "--shares is for string"),
        ("export string --out {home}/unlock.key --force", "lost with the home"),
        ("combine {home}/x --out {home}/vault.key --force", "lost with the home"),
    ],
)
def test_what_cannot_be_is_a_slip_of_the_keyboard(fake: FakeDaemon, home: Path, words: str, sentence: str) -> None:
    fake.answers |= {"daemon.status": DAEMON, "key.show": KEY}
    done = p2pchat("key", *words.format(home=home).split())
    assert (done.status, sentence in done.err) == (2, True), done.err


def test_pictures_and_texts_do_not_go_together(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "b.txt").write_text("\n".join(LINES))
    done = p2pchat("key", "inspect", str(tmp_path / "a.png"), str(tmp_path / "b.txt"))
    assert (done.status, "do not go together" in done.err) == (6, True)


def test_only_codes_and_shares_come_in_several_files(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.p2pkey").write_bytes(b"P2PB" + bytes(100))
    (tmp_path / "b.txt").write_text("\n".join(LINES))
    done = p2pchat("key", "inspect", str(tmp_path / "b.txt"), str(tmp_path / "a.p2pkey"))
    assert (done.status, "one backup at a time" in done.err) == (6, True)


def test_a_drawing_is_proved_from_paper(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(svg("P2PBTEXT"))
    done = p2pchat("key", "inspect", str(tmp_path / "a.svg"))
    assert (done.status, "photo" in done.err) == (6, True)


@pytest.mark.parametrize("words", ["--string x --file y", "--qr", "--file x y", "--file x --expect pc1nonsense"])
def test_login_asks_for_one_backup_and_a_whole_id(home: Path, words: str) -> None:
    assert p2pchat("login", *words.split()).status == 2


@pytest.mark.parametrize(("typed", "status"), [(["no", "no", "secret"], 0), (["no", "no", "no"], 4)])
def test_a_slip_in_the_password_does_not_cost_the_lines_that_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], status: int
) -> None:
    monkeypatch.setenv("P2PCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("P2PCHAT_PASSWORD_FILE", raising=False)
    identity = stored_identity(0)
    container = secret.seal_backup(
        identity.lasting, b"secret", with_log=False, fresh=bytes(seal.FRESH_BYTES), cost=seal.LIGHT
    )
    copy = tmp_path / "copy.txt"
    copy.write_text("\n".join(to_lines(container)))
    answers = iter(typed)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(answers))
    words = ("login", "--string", str(copy), "--expect", user_id_text(identity.user), "--kdf", "light")
    done = p2pchat(*words, terminal=True)
    assert done.status == status, done.err
    assert done.err.count("try again") >= 2
    assert next(answers, None) is None
