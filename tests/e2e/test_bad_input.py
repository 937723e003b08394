"""Words, texts, cards and names that are off, typed at a shell against running daemons: a sentence and a status."""

import base64
import json
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.home import Home
from tests.support.complaints import refused
from tests.support.daemons import P2PCHAT, PASSWORD, Node, befriend, nodes, wait_for

BOMB = "\x1b]0;owned\x07\x1b[2J\x9b31m\rme: yes\n\u202egnp\u2066\u200b" + "e" + "\u0301" * 30
pytestmark = pytest.mark.slow  # each is quick; together they are not
NEVER_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.fixture(scope="module")
def friends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path_factory.mktemp("friends"), 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        yield a, b


def piped(node: Node, stdin: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*P2PCHAT, *words], env=node.environ, input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"", "1 to 65000 bytes"),
        (b"\n", "1 to 65000 bytes"),
        (b"x" * 65_001, "longer than 65000 bytes"),
        ("é".encode() * 32_501, "longer than 65000 bytes"),
        (b"x" * 5_000_000, "longer than 65000 bytes"),
        (b"\xff\xfe binary", "not UTF-8"),
        (b"half a character \xf0\x9f\x91", "not UTF-8"),
        (b"a lone surrogate \xed\xa0\x80", "not UTF-8"),
        (b"overlong \xc0\xaf", "not UTF-8"),
    ],
)
def test_a_text_on_stdin_is_checked(friends: tuple[Node, Node], stdin: bytes, words: str) -> None:
    a, b = friends
    refused(a, "USAGE", "send", b.id, "-", stdin=stdin, says=words)


def test_an_endless_stdin_is_read_no_further_than_a_text(friends: tuple[Node, Node]) -> None:
    a, b = friends
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [*P2PCHAT, "send", b.id, "-"], env=a.environ, stdin=endless, capture_output=True, check=False
        )
    assert done.returncode == 2 and b"longer than 65000 bytes" in done.stderr


def test_the_largest_text_and_odd_characters_arrive_whole(friends: tuple[Node, Node]) -> None:
    a, b = friends
    texts = ["x" * 65_000, "a\0b", "tab\tbell\x07", "\ud7ff\ue000\U0010ffff", "\r\n\r"]
    for text in texts:
        assert piped(a, text.encode() + b"\n", "send", b.id, "-", "--wait", "delivered").returncode == 0
    assert [event["text"] for event in b.lines("recv")][-len(texts) :] == texts
    shown = b.ok("recv", "--since", "0")
    assert not {unicodedata.category(c) for c in shown if c != "\n"} & NEVER_SHOWN
    assert "a<U+0000>b" in shown


@pytest.mark.parametrize("peer", ["nobody", "pc1qqqqqqqq", "pc1" + "q" * 58, "@nobody", "../../x", "%", "' OR 1"])
def test_an_unknown_peer_is_not_found(friends: tuple[Node, Node], peer: str) -> None:
    a, _ = friends
    for verb in (("send", peer, "x"), ("contact", "show", peer), ("history", peer)):
        refused(a, "NOT_FOUND", *verb, says="no contact")


def test_a_prefix_too_short_names_nobody(friends: tuple[Node, Node]) -> None:
    a, b = friends
    refused(a, "NOT_FOUND", "contact", "show", b.id[:7])
    assert a.json("contact", "show", b.id[:8])["id"] == b.id


def test_nobody_writes_to_oneself(friends: tuple[Node, Node]) -> None:
    a, _ = friends
    refused(a, "NOT_FOUND", "send", a.id, "x")


@pytest.mark.parametrize("word", [b"\xff\xfe", b"\xed\xa0\x80"])
def test_arguments_that_are_not_utf8_are_refused(friends: tuple[Node, Node], word: bytes) -> None:
    a, b = friends
    refused(a, "USAGE", "send", b.id, word, says="not UTF-8")
    refused(a, "USAGE", "send", word, "x", says="not UTF-8")
    refused(a, "USAGE", "contact", "show", word, says="not UTF-8")
    refused(a, "USAGE", "recv", "--reader", word, says="not UTF-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--idempotency-key", "k" * 257), "1 to 256 bytes"),
        (("--idempotency-key", ""), "1 to 256 bytes"),
        (("--expires", "1s"), "not between"),
        (("--expires", "400d"), "not between"),
        (("--expires", "-1d"), "no duration"),
        (("--expires", "9" * 30 + "d"), "no duration"),
        (("--wait", "sent", "--timeout", "nan"), "no number of seconds"),
        (("--wait", "sent", "--timeout", "inf"), "not in the range"),
        (("--wait", "eaten"), "eaten"),
        (("--timeout", "1"), "--wait"),
    ],
)
def test_options_of_send_are_checked_before_anything_is_stored(
    friends: tuple[Node, Node], words: tuple[str, ...], says: str
) -> None:
    a, b = friends
    before = len(a.lines("history", b.id))
    refused(a, "USAGE", "send", *words, b.id, "never", says=says)
    assert len(a.lines("history", b.id)) == before


def test_an_unfit_alias_is_refused_in_words(friends: tuple[Node, Node]) -> None:
    a, b = friends
    for alias in ("two words", "\x1b[2J", "-rf", "@x", "#x", "pc1abc", "x" * 65, a.id):
        refused(a, "USAGE", "contact", "alias", "--", b.id, alias, says="an alias is one word")


@pytest.mark.parametrize(
    ("method", "params", "says"),
    [
        ("send", "{", "not JSON"),
        ("send", "[" * 100_000, "more than 16384 values"),  # H005
        ("send", '{"to":["x"],"text":"\\ud800"}', "surrogate"),  # H009
        ("send", '{"to":["x"],"text":"x","text":"y"}', "twice"),  # H008
        ("event.next", '{"limit":NaN}', "NaN"),  # H007
        ("send", '{"to":["x"],"text":"x","more":1}', "no field"),
        ("send", '{"to":"x","text":"x"}', "list"),
        ("send", json.dumps({"to": ["x"] * 65, "text": "x"}), "1 to 64 items"),
    ],
)
def test_ill_calls_of_the_control_socket_are_refused(
    friends: tuple[Node, Node], method: str, params: str, says: str
) -> None:
    a, _ = friends
    refused(a, "BAD_FORMAT", "rpc", "call", method, params, says=says)


def altered(card: bytes, at: int) -> bytes:
    return card[:at] + bytes([card[at] ^ 1]) + card[at + 1 :]


def test_a_card_altered_by_one_byte_is_refused_and_told_why(friends: tuple[Node, Node], tmp_path: Path) -> None:
    a, b = friends
    before = a.lines("contact", "list")
    good = b.ok("contact", "card").encode()
    file = tmp_path / "bob.card"
    for at in (0, 30, 200, len(good) // 2, len(good) - 40, len(good) - 5):
        file.write_bytes(altered(good, at))
        refused(a, "CORRUPT", "contact", "add", str(file), says="card")
    assert a.lines("contact", "list") == before


def test_a_card_whose_signature_fails_is_refused(friends: tuple[Node, Node], tmp_path: Path) -> None:
    """Altered inside, with the checksum mended: the signature names it."""
    from p2pchat.contacts.card import armour, unarmour

    a, b = friends
    raw = bytearray(unarmour(b.ok("contact", "card").encode()))
    at = raw.index(b"person 1") + 7
    raw[at] ^= 2
    file = tmp_path / "bob.card"
    file.write_bytes(armour(bytes(raw)))
    done = a.run("--json", "contact", "add", str(file))
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (6, "BAD_SIGNATURE"), error
    assert "not signed" in error["message"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no p2pchat card"),
        (b"just a letter", "no p2pchat card"),
        (bytes(range(256)) * 100, "no p2pchat card"),
        (b"x" * 300_000, "too long"),
        (b"-----BEGIN P2PCHAT CARD-----\n" + base64.b64encode(bytes(3000)) + b"\n", "damaged"),
    ],
)
def test_what_is_no_card_is_refused(friends: tuple[Node, Node], tmp_path: Path, data: bytes, says: str) -> None:
    a, _ = friends
    file = tmp_path / "no.card"
    file.write_bytes(data)
    refused(a, "CORRUPT", "contact", "add", str(file), says=says)


def test_files_that_cannot_be_cards_are_named(friends: tuple[Node, Node], tmp_path: Path) -> None:
    a, _ = friends
    refused(a, "NOT_FOUND", "contact", "add", str(tmp_path / "none"), says="there is no file")
    refused(a, "FAILED", "contact", "add", str(tmp_path), says="Is a directory")
    refused(a, "CORRUPT", "contact", "add", "/dev/zero", says="too long")
    refused(a, "NOT_FOUND", "contact", "card", "--out", "/nowhere/card", says="no folder")
    precious = tmp_path / "precious"
    precious.write_text("words")
    refused(a, "EXISTS", "contact", "card", "--out", str(precious))
    assert precious.read_text() == "words"


def test_ones_own_card_is_no_contact(friends: tuple[Node, Node], tmp_path: Path) -> None:
    a, _ = friends
    a.ok("contact", "card", "--out", str(tmp_path / "own.card"))
    refused(a, "FAILED", "contact", "add", str(tmp_path / "own.card"), says="your own card")


def test_addresses_that_are_never_dialled_are_refused(friends: tuple[Node, Node]) -> None:
    a, b = friends
    for where in ("169.254.169.254:80", "127.0.0.1:25", "0.0.0.0:9000", "[::ffff:127.0.0.1]:9000"):
        refused(a, "FORBIDDEN", "contact", "address", b.id, where, says="never dialled")
        refused(a, "FORBIDDEN", "contact", "address", b.id, where, "--lan")


def test_names_and_texts_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    """H079 to H090 through every verb that prints them for people; --json carries them whole."""
    from p2pchat.commands.new_home import make_home, read_primes

    with nodes(tmp_path, 1) as (b,):
        a = Node(tmp_path / "evil")
        primes = read_primes(Path(__file__).parents[1] / "support" / "identities" / "0.hex")
        make_home(Home(a.path, a.path), primes, PASSWORD.encode(), nickname=BOMB, light=True)
        try:
            a.start()
            b.start()
            (tmp_path / "evil.card").write_text(a.ok("contact", "card"))
            (tmp_path / "b.card").write_text(b.ok("contact", "card"))
            shown = b.ok("contact", "add", str(tmp_path / "evil.card"))
            a.ok("contact", "add", str(tmp_path / "b.card"), "--message", BOMB)
            wait_for(lambda: [c["state"] for c in a.lines("contact", "list")] == ["accepted"], seconds=20, what="both")
            assert piped(a, BOMB.encode(), "send", b.id, "-", "--wait", "delivered").returncode == 0
            (listed,) = b.lines("contact", "list")
            assert listed["nickname"] == BOMB
            assert [event["text"] for event in b.lines("recv", "--peek")] == [BOMB]
            for verb in (
                ("contact", "list"),
                ("contact", "show", a.id),
                ("recv", "--all", "--since", "0"),
                ("history", a.id),
            ):
                shown += b.ok(*verb)
            assert shown.count("<U+001B>") >= 8
            assert not {unicodedata.category(c) for c in shown if c != "\n"} & NEVER_SHOWN
            assert not [line for line in shown.splitlines() if line.startswith("me: yes")]
        finally:
            a.kill()


def test_a_nickname_that_two_bear_is_ambiguous(tmp_path: Path) -> None:
    from p2pchat.commands.new_home import make_home, read_primes

    identities = Path(__file__).parents[1] / "support" / "identities"
    with nodes(tmp_path, 1) as (b,):
        twins = [Node(tmp_path / name) for name in ("one", "two")]
        try:
            b.start()
            for index, twin in enumerate(twins):
                primes = read_primes(identities / f"{index + 2}.hex")
                make_home(Home(twin.path, twin.path), primes, PASSWORD.encode(), nickname="twin", light=True)
                twin.start()
                (tmp_path / "card").write_text(twin.ok("contact", "card"))
                b.ok("contact", "add", str(tmp_path / "card"))
            done = b.run("--json", "send", "twin", "which of you?")
            error = json.loads(done.stderr)["error"]
            assert (done.returncode, error["code"]) == (5, "AMBIGUOUS")
            assert sorted(error["candidates"]) == sorted(twin.id for twin in twins)
            assert b.run("contact", "list").stdout.count("looks like") == 2
        finally:
            for twin in twins:
                twin.kill()
