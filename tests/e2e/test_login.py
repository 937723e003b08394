"""An identity leaves a machine that is then lost and comes back elsewhere: each carrier, real daemons, real friends."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pypdfium2  # type: ignore[import-untyped]
import pytest
from PIL import Image

from benchmarks.photos import LEVELS, photograph
from tests.support.daemons import PASSWORD, Node, befriend, nodes, wait_for

pytestmark = pytest.mark.slow
CARRIERS = ("string", "file", "pdf")


class Lost:
    """What is left of a machine: the sealed copies of its key, the ID and the address that friends know."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.folder = folder
        self.id, self.listen = node.id, node.json("whoami")["listen"][0]
        for carrier in CARRIERS:
            node.ok("key", "export", carrier, "--out", str(folder / carrier), "--kdf", "light")
            assert node.json("key", "verify", str(folder / carrier)) == {
                "v": 1,
                "ok": True,
                "id": self.id,
                "kind": carrier,
            }
        for name in ("shares", "codes"):
            (folder / name).mkdir()
        node.ok("key", "export", "qr", "--out", str(folder / "codes"), "--kdf", "light")
        node.ok("key", "export", "string", "--shares", "2/3", "--out", str(folder / "shares"), "--kdf", "light")
        assert node.json("status")["backup_verified_ms"]
        node.stop()

    def login(self, path: Path, *words: str) -> Node:
        """The identity that friends know, on another machine."""
        back = Node(path)
        made = back.json("login", *words, "--expect", self.id, "--kdf", "light", "--nickname", "back")
        assert made["id"] == self.id
        return back


@pytest.fixture
def friend_and_lost(tmp_path: Path) -> Iterator[tuple[Node, Lost, Node]]:
    with nodes(tmp_path, 0, 1) as (lost, friend):
        for node in (lost, friend):
            node.start()
        befriend(friend, lost)
        friend.ok("send", lost.id, "before", "--wait", "delivered")
        rest = Lost(lost, tmp_path)
        friend.ok("send", rest.id, "to the machine that is gone")
        yield friend, rest, lost


def meet_again(friend: Node, lost: Lost, back: Node) -> None:
    """The friend's next message arrives, and the answer; what waited meanwhile is not lost."""
    try:
        back.start(listen=lost.listen)
        assert back.id == lost.id
        wait_for(lambda: bool(back.lines("contact", "list")), seconds=60, what="the friend to come back")
        (contact,) = back.lines("contact", "list")
        assert (contact["id"], contact["state"]) == (friend.id, "restored")
        friend.ok("send", lost.id, "and again", "--wait", "delivered", "--timeout", "30")
        assert [e["text"] for e in back.lines("recv")] == ["to the machine that is gone", "and again"]
        back.ok("send", friend.id, "here I am", "--wait", "delivered", "--timeout", "30")
        assert [e["text"] for e in friend.lines("recv")] == ["here I am"]
        types = [event["type"] for event in friend.lines("recv", "--all", "--since", "0")]
        assert "key-changed" in types
        assert back.json("contact", "accept", friend.id)["state"] == "accepted"
    finally:
        back.kill()


def test_a_string_with_three_wrong_lines_brings_the_identity_back(
    friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path
) -> None:
    friend, lost, gone = friend_and_lost
    shutil.rmtree(gone.path)
    lines = (tmp_path / "string").read_text().splitlines()
    numbered = [at for at, line in enumerate(lines) if line[:2].isdecimal()]
    for at in numbered[4], numbered[16], numbered[-1]:
        lines[at] = lines[at][:10] + ("A" if lines[at][10] != "A" else "B") + lines[at][11:]
    typed = "\r\n\r\n".join(line.lower().replace("0", "O") for line in lines)
    back = Node(tmp_path / "back")
    done = back.run("login", "--string", "-", "--expect", lost.id, "--kdf", "light", stdin=typed)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "repaired" in line] == [
        f"line {at} was wrong or missing, and was repaired" for at in (5, 17, len(numbered))
    ]
    meet_again(friend, lost, back)


def test_a_file_brings_the_identity_back_and_the_old_machine_is_switched_off(
    friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path
) -> None:
    friend, lost, old = friend_and_lost
    back = lost.login(tmp_path / "back", "--file", str(tmp_path / "file"))
    meet_again(friend, lost, back)
    old.start(listen=lost.listen)
    try:
        wait_for(lambda: old.json("status")["replaced"] is True, seconds=60, what="the old machine to hear of it")
        refused = old.run("send", friend.id, "from the old machine")
        assert refused.returncode == 10 and "another machine" in refused.stderr
        assert [e["text"] for e in old.lines("history", friend.id)] == ["before"]
    finally:
        old.kill()
    assert [e["text"] for e in friend.lines("recv")] == []


def test_three_photographs_in_the_wrong_order_bring_the_identity_back(
    friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path
) -> None:
    _friend, lost, gone = friend_and_lost
    codes = tmp_path / "codes"
    assert gone.json("key", "verify", *map(str, sorted(codes.iterdir())))["kind"] == "qr"
    rng = Random(7)
    for page in codes.iterdir():
        with Image.open(page) as drawn:
            page.with_suffix(".jpg").write_bytes(photograph(drawn, 8, LEVELS[1], rng))
    photos = [str(codes / f"part-{number}.jpg") for number in (3, 1, 2)]
    back = Node(tmp_path / "back")
    two = back.run("login", "--qr", *photos[:2], "--expect", lost.id)
    assert (two.returncode, "part 2 of 3 is missing" in two.stderr) == (6, True)
    lost.login(back.path, "--qr", *photos)


def test_a_sheet_brings_the_identity_back_printed_or_not(
    friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path
) -> None:
    _friend, lost, _gone = friend_and_lost
    lost.login(tmp_path / "from the file", "--file", str(tmp_path / "pdf"))
    scan = tmp_path / "scan.jpg"
    pypdfium2.PdfDocument(tmp_path / "pdf")[0].render(scale=150 / 72).to_pil().convert("L").save(scan, quality=50)
    lost.login(tmp_path / "from paper", "--qr", str(scan))


def test_two_of_three_shares_bring_the_identity_back_and_one_does_not(
    friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path
) -> None:
    _friend, lost, gone = friend_and_lost
    shares = [str(tmp_path / "shares" / f"share-{n}.txt") for n in (3, 1)]
    back = Node(tmp_path / "back")
    alone = back.run("login", "--shares", shares[0], "--expect", lost.id)
    assert (alone.returncode, "2 shares open this backup" in alone.stderr) == (6, True)
    copy = str(tmp_path / "combined.p2pkey")
    gone.ok("key", "combine", *shares, "--out", copy, "--new-password-file", str(gone.password_file), "--kdf", "light")
    assert gone.json("key", "verify", copy)["id"] == lost.id
    lost.login(back.path, "--shares", *shares)


def test_what_login_refuses(friend_and_lost: tuple[Node, Lost, Node], tmp_path: Path) -> None:
    friend, lost, gone = friend_and_lost
    back, file = Node(tmp_path / "back"), str(tmp_path / "file")
    (tmp_path / "wrong").write_text("not the password\n")
    refusals = {
        ("--file", file): (4, "give --expect ID"),
        ("--file", file, "--expect", friend.id): (6, "not of the ID that was expected"),
        ("--file", file, "--password-file", str(tmp_path / "wrong")): (4, "the password is wrong"),
        ("--file", str(tmp_path / "nowhere")): (5, "there is no file"),
        ("--string", file): (2, "this is no string"),
        ("--string", str(tmp_path / "wrong")): (6, "no backup string"),
        ("--file", file, "--qr"): (2, "one of"),
        (): (2, "one of"),
    }
    for words, (status, sentence) in refusals.items():
        done = back.run("login", *words)
        assert (done.returncode, sentence in done.stderr) == (status, True), (words, done.stderr)
    assert not (back.path / "unlock.key").exists()
    spoilt = bytearray((tmp_path / "file").read_bytes())
    spoilt[200] ^= 1
    (tmp_path / "spoilt").write_bytes(spoilt)
    done = back.run("login", "--file", str(tmp_path / "spoilt"))
    assert (done.returncode, "the backup is damaged" in done.stderr) == (6, True)
    again = gone.run("login", "--file", file, "--expect", lost.id)
    assert (again.returncode, "there is an identity" in again.stderr) == (1, True)


def test_a_new_password_counts_at_once_and_copies_keep_the_old_one(tmp_path: Path) -> None:
    with nodes(tmp_path, 0) as (node,):
        node.start()
        (tmp_path / "new").write_text("another staple\n")
        node.ok("key", "export", "file", "--out", str(tmp_path / "copy"), "--kdf", "light")
        node.ok("key", "passwd", "--new-password-file", str(tmp_path / "new"), "--kdf", "light")
        wrong = node.run("key", "export", "file", "--out", str(tmp_path / "next"), "--kdf", "light")
        assert (wrong.returncode, (tmp_path / "next").exists()) == (4, False)
        node.ok("key", "verify", str(tmp_path / "copy"))
        node.password_file.write_text("another staple\n")
        assert node.run("key", "verify", str(tmp_path / "copy")).returncode == 4
        words = ("key", "export", "file", "--out", str(tmp_path / "copy"), "--kdf", "light")
        assert node.run(*words).returncode == 1
        node.ok(*words, "--force")
        node.ok("key", "verify", str(tmp_path / "copy"))
        node.stop()
        node.start()
        assert PASSWORD not in node.password_file.read_text()
