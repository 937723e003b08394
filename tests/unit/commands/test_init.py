"""``init``: a whole identity or none, and passwords that never come by argument."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from p2pchat.commands import init as module
from p2pchat.commands.new_home import read_primes
from p2pchat.commands.new_keys import Primes
from p2pchat.home import Home
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import load_identity
from p2pchat.keys.key_file import derive
from p2pchat.keys.seal import open_sealed
from p2pchat.keys.vault_file import open_gate, open_vault
from p2pchat.launch import lock
from p2pchat.limits import AVATAR_BYTES
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat
from tests.unit.test_picture import png

PRIMES = Path(__file__).parents[2] / "support" / "identities" / "0.hex"
PNG = png(1, 1)


@pytest.fixture
def home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home without an identity, and a key generator that takes no ten seconds."""
    (home / "unlock.key").unlink()

    def stored(count: int, tick: Callable[[float], None]) -> list[Primes]:
        tick(0.0)
        return [read_primes(PRIMES)] * count

    monkeypatch.setattr(module, "generate_primes", stored)
    return Home(home, home)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\nnotes below\n")
    return path


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answers at the prompts, in order; gives back the prompts."""

    def type_(*answers: str) -> list[str]:
        left, prompts = list(answers), list[str]()

        def answer(prompt: str) -> str:
            prompts.append(prompt)
            return left.pop(0)

        monkeypatch.setattr(click.termui, "hidden_prompt_func", answer)
        monkeypatch.setattr(click.termui, "visible_prompt_func", answer)
        return prompts

    return type_


def secrets_of(home: Home, password: bytes) -> tuple[str, str, bytes]:
    """(ID, nickname, avatar) as vault and gate read them."""
    kek = open_sealed(home.unlock_file.read_bytes(), password)
    vault = open_vault(home.vault_file.read_bytes(), derive(kek, "vault"))
    gate = open_gate(home.gate_file.read_bytes(), derive(kek, "gate"))
    user = load_identity(vault).user
    assert gate.user == user
    return user_id_text(user), vault.nickname, vault.avatar


def test_a_scripted_init_makes_a_whole_identity(home: Home, password: Path, tmp_path: Path) -> None:
    (tmp_path / "me.png").write_bytes(PNG)
    words = ["--nickname", "Ada ✓", "--avatar", str(tmp_path / "me.png"), "--new-password-file", str(password)]
    done = p2pchat("init", "--json", "--no-input", "--kdf", "light", *words)
    assert done.status == 0
    OUTPUTS["init"].check({k: v for k, v in done.json.items() if k != "v"}, "init")
    assert secrets_of(home, b"correct horse") == (done.json["id"], "Ada ✓", PNG)
    assert (done.json["nickname"], done.json["listen"]) == ("Ada ✓", [])
    for path in (home.unlock_file, home.vault_file, home.gate_file):
        assert path.stat().st_mode & 0o777 == 0o600
    assert home.data_dir.stat().st_mode & 0o777 == 0o700
    assert "correct horse" not in done.out + done.err


@pytest.mark.parametrize("how", ["--password-file", "variable", "-"])
def test_a_password_file_may_be_named_in_other_ways(
    home: Home, password: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    words = {"--password-file": ["--password-file", str(password)], "-": ["--new-password-file", "-"]}.get(how, [])
    if how == "variable":
        monkeypatch.setenv("P2PCHAT_PASSWORD_FILE", str(password))
    assert p2pchat("init", "--kdf", "light", *words, stdin=b"correct horse\r\nmore").status == 0
    assert secrets_of(home, b"correct horse")[1:] == ("", b"")


def test_without_a_terminal_or_file_nothing_is_asked(home: Home) -> None:
    for words, terminal in ((["--no-input"], True), ([], False)):
        done = p2pchat("init", "--json", *words, terminal=terminal)
        assert (done.status, done.error["code"]) == (4, "LOCKED")
        assert "--new-password-file" in done.error["hint"]
    assert not home.has_identity


def test_an_existing_identity_is_never_touched(home: Home, password: Path) -> None:
    home.unlock_file.write_bytes(b"precious")
    done = p2pchat("init", "--json", "--new-password-file", str(password))
    assert (done.status, done.error["code"]) == (1, "EXISTS")
    assert home.unlock_file.read_bytes() == b"precious"
    assert not home.vault_file.exists()


def test_keys_without_their_unlock_file_are_not_overwritten(home: Home, password: Path) -> None:
    home.vault_file.write_bytes(b"precious")
    home.store_db.touch()
    assert p2pchat("init", "--new-password-file", str(password)).status == 1
    assert home.vault_file.read_bytes() == b"precious"


def test_a_crash_in_the_middle_leaves_no_identity_and_init_can_be_repeated(
    home: Home, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from p2pchat import atomic

    original = atomic.replace

    def crash(path: Path, data: bytes) -> None:
        if path == home.unlock_file:
            raise KeyboardInterrupt
        original(path, data)

    words = ["init", "--kdf", "light", "--new-password-file", str(password)]
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "replace", crash)
        assert p2pchat(*words).status == 130
    assert home.vault_file.exists() and not home.has_identity
    assert p2pchat(*words).status == 0
    secrets_of(home, b"correct horse")


def test_two_at_once_do_not_mix(home: Home, password: Path) -> None:
    fd = lock.acquire(home.lock_file)
    try:
        done = p2pchat("init", "--json", "--new-password-file", str(password))
        assert (done.status, done.error["code"]) == (1, "ALREADY_RUNNING")
    finally:
        os.close(fd)


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\nsecond line", b"x" * 2000, b"\xff\xfe", b"x" * 100_000])
def test_an_unfit_password_file_is_refused_before_a_key_is_made(home: Home, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ill"
    file.write_bytes(content)
    done = p2pchat("--json", "init", "--new-password-file", str(file))
    assert (done.status, done.error["code"]) == (2, "USAGE")
    assert "making" not in done.err and not home.has_identity


def test_a_missing_password_file_is_5(home: Home, tmp_path: Path) -> None:
    assert p2pchat("init", "--new-password-file", str(tmp_path / "none")).status == 5


@pytest.mark.parametrize("picture", [b"", b"GIF89a", b"\x89PNG", PNG + b"x" * AVATAR_BYTES])
def test_an_avatar_that_is_no_small_picture_is_refused(
    home: Home, password: Path, tmp_path: Path, picture: bytes
) -> None:
    (tmp_path / "x").write_bytes(picture)
    done = p2pchat("init", "--avatar", str(tmp_path / "x"), "--new-password-file", str(password))
    assert done.status == 2 and not home.has_identity


@pytest.mark.parametrize("nickname", ["x" * 65, "é" * 129, "a\nb", "a\x1b[2J", "\u202e", "\udcff"])
def test_an_unfit_nickname_is_refused(home: Home, password: Path, nickname: str) -> None:
    assert p2pchat("init", "--nickname", nickname, "--new-password-file", str(password)).status == 2
    assert not home.has_identity


def test_a_person_is_asked_twice_and_told_the_strength(home: Home, typing: Callable[..., list[str]]) -> None:
    prompts = typing("jf8#Kd02!xPq", "typo", "jf8#Kd02!xPq", "jf8#Kd02!xPq")
    done = p2pchat("init", "--kdf", "light", terminal=True)
    assert done.status == 0
    assert len(prompts) == 4 and "not the same" in done.err and "57 bits" in done.err
    assert "jf8#" not in done.out + done.err
    secrets_of(home, b"jf8#Kd02!xPq")


def test_a_weak_password_is_questioned(home: Home, typing: Callable[..., list[str]]) -> None:
    prompts = typing("password1", "n", "password1", "y", "password1")
    done = p2pchat("init", "--kdf", "light", terminal=True)
    assert done.status == 0 and len(prompts) == 5 and "weak" in done.err
    secrets_of(home, b"password1")


def test_a_phrase_is_offered(home: Home, typing: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    phrase = "babad-bafah-bahaj-bajal-bakan"
    monkeypatch.setattr("p2pchat.commands.password.generated_phrase", lambda _fresh: phrase)
    typing("", phrase)
    done = p2pchat("init", "--kdf", "light", terminal=True)
    assert done.status == 0 and phrase in done.err and phrase not in done.out
    secrets_of(home, phrase.encode())


def test_progress_counts_on_a_terminal_only(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from p2pchat.commands.frame import Settings

    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    with module.progress(Settings()) as tick:
        tick(0.2)
        tick(3.4)
    assert stderr.getvalue().endswith(": 3 s\n") and stderr.getvalue().count("\r") == 2
    quiet = Settings()
    quiet.quiet = True
    stderr.truncate(0)
    with module.progress(quiet) as tick:
        tick(1.0)
    assert stderr.getvalue() == ""


def test_an_identity_counts_for_more_than_the_daemon_that_holds_its_home(home: Home, password: Path) -> None:
    home.unlock_file.write_bytes(b"precious")
    held = lock.acquire(home.lock_file)
    try:
        done = p2pchat("init", "--json", "--new-password-file", str(password))
    finally:
        os.close(held)
    assert (done.status, done.error["code"]) == (1, "EXISTS")
