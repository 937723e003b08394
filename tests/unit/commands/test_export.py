"""Where ``key export`` writes: what it refuses, and that it never writes over anything by itself."""

import errno
from base64 import b64encode
from pathlib import Path

import pytest

from p2pchat import atomic
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from tests.support.answers import DAEMON, KEY
from tests.support.command_line import Done, p2pchat
from tests.support.fake_daemon import ALICE, FakeDaemon
from tests.support.identities import stored_identity

CONTAINER = secret.seal_backup(
    stored_identity(0).lasting, b"secret", with_log=False, fresh=bytes(seal.FRESH_BYTES), cost=seal.LIGHT
)


@pytest.fixture
def daemon(fake: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    backup = {"id": ALICE, "set": "01234567", "container": b64encode(CONTAINER).decode()}
    fake.answers |= {"daemon.status": DAEMON, "key.show": KEY, "key.backup": backup}
    password = tmp_path / "password"
    password.write_text("secret\n")
    monkeypatch.setenv("P2PCHAT_PASSWORD_FILE", str(password))
    return fake


def export(*words: object) -> Done:
    return p2pchat("key", "export", *map(str, words))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("qr",), ["part-1.png", "part-2.png", "part-3.png"]),
        (("qr", "--svg"), ["part-1.svg", "part-2.svg", "part-3.svg"]),
        (("string", "--shares", "2/3"), ["share-1.txt", "share-2.txt", "share-3.txt"]),
    ],
)
def test_a_folder_is_made_and_is_private(
    daemon: FakeDaemon, tmp_path: Path, words: tuple[str, ...], names: list[str]
) -> None:
    folder = tmp_path / "new"
    for force in ((), ("--force",)):
        done = export(*words, "--out", f"{folder}/", *force)
        assert done.status == 0, done.err
        assert sorted(path.name for path in folder.iterdir()) == names
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    again = export(*words, "--out", folder)
    assert (again.status, "--force" in again.err) == (1, True)


def test_a_folder_with_the_rest_of_another_export_is_refused(daemon: FakeDaemon, tmp_path: Path) -> None:
    folder = tmp_path / "shares"
    assert export("string", "--shares", "2/3", "--out", folder).status == 0
    fewer = export("string", "--shares", "2/2", "--out", folder, "--force")
    assert (fewer.status, "share-3.txt is of another export" in fewer.err) == (1, True)


def test_a_copy_in_the_home_is_refused_by_whatever_name(
    daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    for out in (tmp_path / "link" / "vault.key", "../home/x", "x", tmp_path / "home" / ".." / "home" / "y"):
        done = export("file", "--out", out, "--force")
        assert (done.status, "lost with the home" in done.err) == (2, True), done.err


@pytest.mark.parametrize(("carrier", "told"), [("string", True), ("qr", True), ("file", False)])
def test_a_copy_without_room_for_the_log_of_a_replaced_key_says_so(
    daemon: FakeDaemon, tmp_path: Path, carrier: str, told: bool
) -> None:
    daemon.answers["key.show"] = {**KEY, "key_log": 2}
    assert ("a contact sends it back" in export(carrier, "--out", tmp_path / "x").err) is told


@pytest.mark.parametrize(
    ("carrier", "out", "status", "said"),
    [
        ("qr", "{there}", 1, "no name for a folder"),
        ("qr", "", 1, "no name for a folder"),
        ("qr", "{tmp}/no/where", 5, "mkdir -p"),
        ("string", "{there}", 1, "--force"),
        ("string", "{tmp}", 1, "no name for a file"),
        ("string", "", 1, "no name for a file"),
        ("file", "{tmp}/x/", 1, "no name for a file"),
        ("file", "{tmp}/no/where", 5, "mkdir -p"),
        ("pdf", "{link}", 1, "--force"),
        ("file", "/dev/null", 1, "no file that could be written over"),
    ],
)
def test_a_place_that_does_not_fit_is_told_before_a_password(
    daemon: FakeDaemon, tmp_path: Path, carrier: str, out: str, status: int, said: str
) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    force = ["--force"] if out == "/dev/null" else []  # a device is no file to write over, whoever asks
    done = export(carrier, "--out", out.format(there=there, tmp=tmp_path, link=link), *force)
    assert (done.status, said in done.err) == (status, True), done.err
    assert there.read_text() == "mine" and link.is_symlink()
    assert not daemon.asked("key.backup")


def test_a_disk_that_fills_leaves_the_old_set_whole_and_no_new_folder(
    daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    assert export("qr", "--out", old).status == 0
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    synced = 0

    def full(_: int) -> None:
        nonlocal synced
        synced += 1
        if synced % 2 == 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "_sync", full)
    for folder, force in ((old, ["--force"]), (new, [])):
        done = p2pchat("--json", "key", "export", "qr", "--parity", "--out", str(folder), *force)
        assert done.error["code"] == "DISK_FULL"
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    assert not new.exists()
