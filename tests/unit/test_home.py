import os
from pathlib import Path

import pytest

from p2pchat import atomic
from p2pchat.errors import Corrupt, Exists, Failed, NotFound
from p2pchat.home import FORMAT, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.find(str(tmp_path / "home"), {})
    made.create()
    made.unlock_file.touch()
    return made


def test_an_option_goes_before_the_variable_and_holds_everything() -> None:
    found = Home.find("/a", {"P2PCHAT_HOME": "/b", "HOME": "/h"})
    assert {found.config_dir, found.data_dir} == {Path("/a")}
    assert Home.find(None, {"P2PCHAT_HOME": "/b", "HOME": "/h"}).store_db == Path("/b/store.db")


def test_without_either_the_xdg_directories_hold_it() -> None:
    found = Home.find(None, {"HOME": "/h", "XDG_DATA_HOME": "/d"})
    assert found == Home(Path("/h/.config/p2pchat"), Path("/d/p2pchat"))


def test_a_relative_xdg_directory_is_ignored() -> None:
    found = Home.find(None, {"HOME": "/h", "XDG_DATA_HOME": "d", "XDG_CONFIG_HOME": ""})
    assert found == Home(Path("/h/.config/p2pchat"), Path("/h/.local/share/p2pchat"))


def test_a_relative_path_and_a_tilde_become_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.find("x/../y", {}).data_dir == tmp_path / "y"
    assert Home.find("~/x", {"HOME": "/h"}).data_dir == Path("/h/x")


def test_no_home_at_all_is_said() -> None:
    with pytest.raises(Failed, match="HOME is not set"):
        Home.find(None, {})


@pytest.mark.parametrize(
    "environ",
    [{"P2PCHAT_HOME": "/b"}, {"HOME": "/h"}, {"HOME": "/h", "XDG_DATA_HOME": "/d", "P2PCHAT_HOME": ""}],
)
def test_a_child_finds_the_same_home(environ: dict[str, str]) -> None:
    found = Home.find(None, environ)
    assert Home.find(None, found.environ(environ)) == found
    assert Home.find(None, found.environ({"P2PCHAT_HOME": "/other", "HOME": "/elsewhere"})) == found


def test_create_makes_private_directories_and_says_its_version(home: Home) -> None:
    for directory in (home.data_dir, home.log_file.parent):
        assert directory.stat().st_mode & 0o777 == 0o700
    assert home.version_file.read_text() == f"{FORMAT}\n"
    home.create()
    home.check()


def test_an_empty_directory_of_ours_is_made_private(tmp_path: Path) -> None:
    open_dir = tmp_path / "open"
    open_dir.mkdir(mode=0o755)
    Home.find(str(open_dir), {}).create()
    assert open_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o702])
def test_a_directory_open_to_others_is_refused(home: Home, mode: int) -> None:
    home.data_dir.chmod(mode)
    for use in (home.create, home.check):
        with pytest.raises(Failed, match="open to other users") as raised:
            use()
        assert raised.value.hint == f"chmod 700 {home.data_dir}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_user_s_directory_is_refused(home: Home) -> None:
    os.chown(home.data_dir, 12345, 12345)
    with pytest.raises(Failed, match="belongs to another user"):
        home.check()


def test_a_file_in_the_home_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(Failed):
            Home.find(str(tmp_path / name), {}).create()


def test_a_path_too_long_for_the_system_is_refused_with_a_short_sentence() -> None:
    home = Home.find("/tmp/" + "long/" * 2000, {})
    for use in (home.create, home.check):
        with pytest.raises(Failed, match="File name too long") as raised:
            use()
        assert len(raised.value.message) < 400


def test_no_identity_is_not_found(tmp_path: Path, home: Home) -> None:
    with pytest.raises(NotFound):
        Home.find(str(tmp_path / "nowhere"), {}).check()
    home.unlock_file.unlink()
    with pytest.raises(NotFound):
        home.check()


def test_a_home_of_a_newer_version_is_refused(home: Home) -> None:
    home.version_file.write_text(f"{FORMAT + 1}\n")
    for use in (home.create, home.check):
        with pytest.raises(Failed, match="made by a newer p2pchat"):
            use()


@pytest.mark.parametrize("content", [b"", b"one", b"-1", b"\xff" * 100])
def test_a_damaged_version_file_is_said(home: Home, content: bytes) -> None:
    home.version_file.write_bytes(content)
    with pytest.raises(Failed, match="damaged"):
        home.check()


def test_atomic_replace_leaves_one_private_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data in (b"one", b"two"):
        atomic.replace(path, data)
        assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_atomic_replace_does_not_follow_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "x").symlink_to(other)
    atomic.replace(tmp_path / "x", b"new")
    assert other.read_text() == "kept"


def test_atomic_replace_without_a_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot write"):
        atomic.replace(tmp_path / "none" / "x", b"")


def test_a_store_that_was_there_is_missed(tmp_path: Path) -> None:
    home = Home.find(str(tmp_path / "home"), {})
    home.create()
    home.check_store()  # no store yet, and none was
    home.store_mark.touch()
    log = home.data_dir / "store.db-wal"
    log.write_bytes(b"what was not yet in it")
    with pytest.raises(Corrupt, match=r"store\.db is gone") as refused:
        home.check_store()
    assert refused.value.hint == "p2pchat daemon start --new-store"
    home.begin_new_store()
    home.check_store()
    assert not log.exists()
    assert (home.data_dir / "store.db-wal.old").read_bytes() == b"what was not yet in it"
    home.store_db.touch()
    with pytest.raises(Exists):
        home.begin_new_store()


def test_what_a_crash_left_of_rewritten_keys_goes_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path / "h", tmp_path / "h")
    home.create()
    (home.data_dir / ".unlock.key.ab12").write_bytes(b"sealed under the password of before")
    for kept in (home.unlock_file, home.vault_file, home.data_dir / ".store.db.new"):
        kept.write_bytes(b"x")
    home.remove_leftovers()
    left = {path.name for path in home.data_dir.iterdir() if path.is_file()}
    assert left == {"unlock.key", "vault.key", ".store.db.new", "version"}
