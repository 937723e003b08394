"""Homes that are in use, unfit, damaged or too new, and passwords that are wrong: a sentence and an exit status."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.errors import from_json
from tests.support.complaints import STATUS, refused
from tests.support.daemons import P2PCHAT, PASSWORD, Node, befriend, nodes, wait_for

START = ("daemon", "start", "--listen", "127.0.0.1:0")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, 0) as (only,):
        yield only


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def ends(node: Node) -> None:
    wait_for(lambda: not node.processes(), seconds=30, what="the daemon to end")


def test_the_statuses_are_those_of_the_errors() -> None:
    assert {code: from_json({"code": code}).exit_status for code in STATUS} == STATUS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("password", "code", "words"),
    [
        (b"correct horse battery stapl\n", "WRONG_PASSWORD", "the password is wrong"),
        (b"\xff\xfe\n", "WRONG_PASSWORD", "not UTF-8"),
        (b"\n" + PASSWORD.encode(), "USAGE", "empty first line"),
        (b"x" * 100_000, "USAGE", "longer than"),
    ],
)
def test_a_wrong_password_opens_nothing(node: Node, password: bytes, code: str, words: str) -> None:
    node.password_file.write_bytes(password)
    refused(node, code, *START, says=words)
    ends(node)
    node.password_file.write_text(PASSWORD + "\n")
    node.start()


def test_no_password_and_no_terminal_is_locked(node: Node) -> None:
    node.password_file.unlink()
    refused(node, "NOT_FOUND", *START, says="there is no file")
    refused(node, "LOCKED", *START, says="no terminal", program=["env", "-u", "P2PCHAT_PASSWORD_FILE", *P2PCHAT])


@pytest.mark.slow
def test_one_home_holds_one_daemon(node: Node) -> None:
    first = node.start()
    refused(node, "ALREADY_RUNNING", *START, says="running already")
    refused(node, "ALREADY_RUNNING", "daemon", "run", says=f"process {first['pid']}")
    assert node.json("daemon", "status")["pid"] == first["pid"]


@pytest.mark.slow
def test_a_port_in_use_is_named(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for _ in range(3):  # whoever ends first, vault or gate: the gate's own reason is told
            refused(node, "FAILED", "daemon", "start", "--listen", f"127.0.0.1:{port}", says=f"port {port} is in use")
            ends(node)
    assert node.start(f"127.0.0.1:{port}")["listen"] == [f"127.0.0.1:{port}"]


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:65536", "127.0.0.1:-1", ":1", "127.0.0.1", ""])
def test_an_ill_address_is_refused_before_anything_starts(node: Node, listen: str) -> None:
    refused(node, "USAGE", "daemon", "start", "--listen", listen, says="HOST:PORT")


@pytest.mark.slow
def test_a_foreign_address_cannot_be_listened_on(node: Node) -> None:
    refused(node, "FAILED", "daemon", "start", "--listen", "192.0.2.1:4000", says="cannot listen on 192.0.2.1")


@pytest.mark.parametrize(
    ("version", "words"), [("2\n", "newer p2pchat"), ("", "damaged"), ("one\n", "damaged"), ("1 1\n", "damaged")]
)
def test_a_home_of_another_version_is_left_alone(node: Node, version: str, words: str) -> None:
    (node.path / "version").write_text(version)
    before = {path.name: path.read_bytes() for path in node.path.glob("*.key")}
    refused(node, "FAILED", *START, says=words)
    refused(node, "FAILED", "init", says=words)
    assert {path.name: path.read_bytes() for path in node.path.glob("*.key")} == before


@pytest.mark.slow
def test_a_home_deeper_than_a_socket_path_serves(node: Node) -> None:
    """``sun_path`` holds 108 bytes, on macOS 104."""
    deep = Node(_moved(node.path, node.path.parent / ("d" * 100) / ("e" * 100) / "home"))
    try:
        assert len(deep.start()["socket"]) > 200
        assert deep.json("status")["running"]
    finally:
        deep.kill()


def _moved(home: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True)
    return Path(shutil.move(home, to))


def elsewhere(node: Node, path: str) -> Node:
    node.path = Path(path)
    return node


def test_a_name_too_long_for_the_disk_is_no_home(node: Node, tmp_path: Path) -> None:
    before = node.path
    for path in (tmp_path / ("x" * 300), tmp_path.joinpath(*["y" * 200] * 25)):
        refused(elsewhere(node, str(path)), "FAILED", *START, says="File name too long")
        refused(node, "FAILED", "init", says="File name too long")
    elsewhere(node, str(before))


@pytest.mark.parametrize("path", ["/dev/null", "/dev/null/x"])
def test_what_is_no_directory_is_no_home(node: Node, path: str) -> None:
    before = node.path
    refused(elsewhere(node, path), "FAILED", *START, says=path)
    refused(node, "FAILED", "init", says=path)
    doctor = node.run("doctor")
    assert doctor.returncode == 1 and "BAD   home" in doctor.stdout and "daemon" in doctor.stdout, doctor
    elsewhere(node, str(before))


def test_a_home_that_others_can_open_is_refused(node: Node) -> None:
    node.path.chmod(0o755)
    refused(node, "FAILED", *START, says="open to other users")
    node.path.chmod(0o700)


def test_an_unwritable_home_is_refused(node: Node) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere: test_full_disk.py makes a read-only disk instead")
    node.path.chmod(0o500)
    refused(node, "FAILED", *START, says="cannot be written")
    node.path.chmod(0o700)


def test_an_empty_home_has_no_identity(node: Node, tmp_path: Path) -> None:
    before = node.path
    refused(elsewhere(node, str(tmp_path / "none")), "NOT_FOUND", *START, says="no identity")
    refused(node, "NO_DAEMON", "whoami", says="not running")
    assert not node.path.exists(), "asking makes nothing"
    elsewhere(node, str(before))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unlock.key", "vault.key", "gate.key"])
def test_a_damaged_key_file_is_named_and_kept(node: Node, name: str) -> None:
    file = node.path / name
    good = file.read_bytes()
    what = {"unlock.key": "the key file", "vault.key": "vault key", "gate.key": "gate key"}[name]
    for bad in (good[: len(good) // 2], flipped(good, len(good) // 2)):
        file.write_bytes(bad)
        refused(node, "CORRUPT", *START, says=what)
        ends(node)
        assert file.read_bytes() == bad, "nothing overwrites it"
    file.write_bytes(good)
    node.start()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unlock.key", "vault.key", "gate.key"])
def test_a_missing_key_file_is_named(node: Node, name: str) -> None:
    (node.path / name).rename(node.path / "aside")
    refused(node, "NOT_FOUND", *START, says="no identity" if name == "unlock.key" else name)
    ends(node)
    doctor = node.run("doctor")
    assert f"{name} is missing; mend it with: restore {name} from a copy" in doctor.stdout, doctor.stdout
    (node.path / "aside").rename(node.path / name)
    node.start()


@pytest.mark.slow
def test_the_key_file_of_another_home_is_refused(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (one, other):
        for name in ("vault.key", "gate.key"):
            kept = (one.path / name).read_bytes()
            (one.path / name).write_bytes((other.path / name).read_bytes())
            refused(one, "CORRUPT", *START, says="another unlock.key")
            ends(one)
            (one.path / name).write_bytes(kept)


@pytest.mark.slow
def test_a_truncated_database_is_named_and_kept(node: Node) -> None:
    node.start()
    node.stop()
    store = node.path / "store.db"
    good = store.read_bytes()
    for bad in (b"", good[: len(good) // 2], flipped(good, 40)):
        store.write_bytes(bad)
        refused(node, "CORRUPT", *START, says="store.db")
        ends(node)
        assert store.read_bytes() == bad, "nothing overwrites it"
        refused(node, "EXISTS", "init")
    store.write_bytes(good)
    node.start()


@pytest.mark.slow
def test_a_flipped_bit_in_a_page_ends_the_daemon_with_its_reason(node: Node) -> None:
    node.start()
    node.stop()
    store = node.path / "store.db"
    good = store.read_bytes()
    pages = range(1, len(good) // 4096)
    bad = bytearray(good)
    for page in pages:
        bad[page * 4096 + 777] ^= 4
    store.write_bytes(bad)
    refused(node, "CORRUPT", *START, says="damaged")
    ends(node)
    log = (node.path / "logs" / "daemon.log").read_text()
    assert log.count("ready;") == 1, "not started again and again"
    store.write_bytes(good)
    assert node.start()["pid"]


@pytest.mark.slow
def test_a_lost_store_begins_anew_and_a_friends_card_brings_what_waited(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        a.json("send", b.id, "before", "--wait", "delivered")
        identity = a.id
        a.stop()
        waiting = b.json("send", identity, "while you were away")["message"]
        for file in a.path.glob("store.db*"):
            file.unlink()
        refused(a, "CORRUPT", *START, says="store.db is gone")
        ends(a)
        assert not (a.path / "store.db").exists(), "nothing begins without a word"
        a.ok("daemon", "start", "--new-store")
        refused(a, "ALREADY_RUNNING", *START, "--new-store")
        assert (a.id, a.lines("contact", "list")) == (identity, [])
        (tmp_path / "b.card").write_text(b.ok("contact", "card"))
        a.ok("contact", "add", str(tmp_path / "b.card"))
        wait_for(lambda: b.lines("outbox", "list") == [], seconds=30, what="the outbox to empty")
        assert [event["message"] for event in a.lines("recv")] == [waiting]
        a.json("send", b.id, "after", "--wait", "delivered")
        assert [event["text"] for event in b.lines("recv")] == ["before", "after"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "last page", "gone"])
def test_a_damaged_address_book_begins_anew(node: Node, damage: str) -> None:
    node.start()
    node.stop()
    book = node.path / "gate.db"
    good = book.read_bytes()
    if damage == "gone":
        book.unlink()
    else:
        book.write_bytes(good[:-100] if damage == "cut" else flipped(good, -99))
    node.start()
    assert book.stat().st_size >= 4096
    assert (node.path / "gate.db.damaged").exists() == (damage != "gone")
