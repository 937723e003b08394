import codecs
from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.contacts import card as card_module
from p2pchat.contacts.card import BEGIN, CARD_MS, END, armour, read_card, unarmour, write_card
from p2pchat.errors import BadSignature, Corrupt, P2PChatError, Untrusted
from p2pchat.keys.devices import make_device_set
from p2pchat.keys.signed import sign
from p2pchat.limits import CARD_BYTES, CARD_FILE_BYTES
from p2pchat.wire import codec
from p2pchat.wire.structs import Address, AddressRecord, Card, KeyLog, Signed
from tests.support.identities import NOW_MS, stored_identity

ANN, BOB = stored_identity(0), stored_identity(1)
RECORD = AddressRecord(
    user=ANN.user,
    device=ANN.device.device,
    sequence=NOW_MS,
    not_after_ms=NOW_MS + CARD_MS,
    addresses=(Address(host="192.0.2.1", port=4711, carrier="raw"),),
)
ADDRESSES = sign(RECORD, ANN.device)
FILE = write_card(ANN, addresses=ADDRESSES, nickname="Änn", now_ms=NOW_MS)
CARD = read_card(FILE, now_ms=NOW_MS).card


def test_a_card_survives() -> None:
    read = read_card(FILE, now_ms=NOW_MS)
    assert (read.user, read.nickname, read.addresses) == (ANN.user, "Änn", RECORD)
    assert (read.chain, read.devices, read.device) == (ANN.chain, ANN.devices, ANN.record)
    assert (read.card.addresses, read.card.created_ms) == (ADDRESSES, NOW_MS)


def test_a_card_needs_no_address() -> None:
    read = read_card(write_card(ANN, addresses=b"", nickname="", now_ms=NOW_MS), now_ms=NOW_MS)
    assert read.addresses is None


def test_the_file_is_short_lines_of_ascii() -> None:
    text = FILE.decode("ascii")
    assert text.startswith(BEGIN + "\n") and text.endswith(END + "\n")
    assert max(map(len, text.splitlines())) <= 64


def _quoted(data: bytes) -> bytes:
    return b"".join(b"> > " + line + b"  \n" for line in data.splitlines())


@pytest.mark.parametrize(
    "dress",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"Hi Bob,\n\nhere is my card.\n\n" + data + b"\n-- \nAnn\xff\xfe",
        _quoted,
        lambda data: data.replace(b"\n", b"\n\n"),
        lambda data: data.rstrip(b"\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"  \t" + data.replace(b"\n", b" \t\n  "),
    ],
    ids=["crlf", "mail", "quoted", "blank lines", "no last newline", "byte order mark", "blanks"],
)
def test_a_card_survives_a_mail(dress: Callable[[bytes], bytes]) -> None:
    assert read_card(dress(FILE), now_ms=NOW_MS).user == ANN.user


def test_every_altered_bit_is_refused_and_named() -> None:
    for at in range(0, len(FILE) * 8, 5):  # one or two bits of every byte
        wrong = bytearray(FILE)
        wrong[at // 8] ^= 1 << at % 8
        with pytest.raises(Corrupt, match=r"card") as caught:
            read_card(bytes(wrong), now_ms=NOW_MS)
        assert caught.value.exit_status == 6
        assert caught.value.hint


def test_one_changed_character_is_named_as_damage() -> None:
    at = FILE.index(b"\n") + 30
    wrong = FILE[:at] + (b"A" if FILE[at : at + 1] != b"A" else b"B") + FILE[at + 1 :]
    with pytest.raises(Corrupt, match=r"the card is damaged \(checksum\)"):
        read_card(wrong, now_ms=NOW_MS)


def test_every_truncation_is_refused() -> None:
    for size in range(0, len(FILE) - 1, 3):
        with pytest.raises(Corrupt):
            read_card(FILE[:size], now_ms=NOW_MS)


def test_a_lost_line_is_refused() -> None:
    lines = FILE.splitlines(keepends=True)
    for i in range(len(lines)):
        with pytest.raises(Corrupt):
            read_card(b"".join(lines[:i] + lines[i + 1 :]), now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no p2pchat card"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no p2pchat card"),
        (b"-----BEGIN PGP MESSAGE-----\n", "no p2pchat card"),
        (bytes(CARD_FILE_BYTES + 1), "no card"),
        (FILE + FILE, "more than one card"),
        (f"{BEGIN}\n{END}\n".encode(), "checksum line is missing"),
        (f"{BEGIN}\n=\n{END}\n".encode(), "checksum"),
        (f"{BEGIN}\nAB\n=AAAA\n{END}\n".encode(), "base64"),
        (f"{BEGIN}\nAAB=\n=AAAA\n{END}\n".encode(), "base64"),  # stray bits
        (armour(b""), "holds something wrong"),
        (armour(bytes(CARD_BYTES + 1)), "at most 64 KiB"),
        (armour(codec.pack(["hello", 1])), "holds something wrong"),
    ],
)
def test_a_file_that_is_no_card_is_corrupt(data: bytes, words: str) -> None:
    with pytest.raises(Corrupt, match=words):
        read_card(data, now_ms=NOW_MS)


def _forge(card: Card) -> bytes:
    """A well-armoured card with a true signature of Ann's device."""
    return armour(sign(card, ANN.device))


def _other_log() -> bytes:
    entry = Signed.decode(KeyLog.decode(ANN.chain.raw).entries[0])
    forged = Signed(body=entry.body, signature=bytes(1024)).encode()
    return KeyLog(entries=(forged,)).encode()


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"key_log": _other_log()}, BadSignature, "genesis is not signed"),
        ({"key_log": b""}, Corrupt, "no valid msgpack"),
        ({"key_log": BOB.chain.raw}, Untrusted, "device set belongs to another ID"),
        ({"device_set": BOB.devices.raw}, Untrusted, "device set belongs to another ID"),
        ({"key_log": BOB.chain.raw, "device_set": BOB.devices.raw}, Untrusted, "card belongs to another ID"),
        ({"user": BOB.user}, Untrusted, "card belongs to another ID"),
        ({"device": BOB.device.device}, Untrusted, "does not list"),
        ({"addresses": ADDRESSES[:-1]}, Corrupt, "no valid msgpack"),
        ({"addresses": sign(RECORD, BOB.device)}, BadSignature, "address record is not signed"),
        ({"addresses": sign(replace(RECORD, user=BOB.user), ANN.device)}, Untrusted, "address record belongs"),
    ],
)
def test_parts_that_do_not_belong_together_are_named(
    fields: dict[str, bytes], error: type[P2PChatError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        read_card(_forge(replace(CARD, **fields)), now_ms=NOW_MS)  # type: ignore[arg-type]
    assert caught.value.exit_status == 6


def test_the_card_is_signed_by_its_device() -> None:
    signed = Signed.decode(unarmour(FILE))
    other = replace(signed, body=replace(CARD, nickname="Eve").encode())
    with pytest.raises(BadSignature, match="card is not signed"):
        read_card(armour(other.encode()), now_ms=NOW_MS)


def test_an_expired_card_points_at_the_clock() -> None:
    assert read_card(FILE, now_ms=NOW_MS + CARD_MS).user == ANN.user
    with pytest.raises(Untrusted, match="good until 2027-04-15, and this machine's clock says 2037") as caught:
        read_card(FILE, now_ms=NOW_MS + 10 * 365 * 86_400_000)
    assert "clock" in caught.value.hint


def test_a_card_may_end_before_its_device_set() -> None:
    with pytest.raises(Untrusted, match="good until"):
        read_card(_forge(replace(CARD, not_after_ms=NOW_MS - 1)), now_ms=NOW_MS)


def test_an_expired_device_set_is_refused_whatever_the_card_says() -> None:
    records = list(ANN.devices.records)
    old = make_device_set(ANN.root, ANN.user, records, not_after_ms=NOW_MS - 1)
    with pytest.raises(Untrusted, match="good until"):
        read_card(_forge(replace(CARD, device_set=old)), now_ms=NOW_MS)


def test_a_card_never_outlives_its_device_set() -> None:
    late = read_card(write_card(ANN, addresses=b"", nickname="", now_ms=NOW_MS + 1000), now_ms=NOW_MS)
    assert late.card.not_after_ms == ANN.devices.not_after_ms


def test_days_beyond_the_calendar_are_still_a_sentence() -> None:
    assert card_module._day(2**63 - 1) == "a day beyond all calendars"


def test_a_card_of_a_newer_version_says_so() -> None:
    entries = KeyLog.decode(ANN.chain.raw).entries
    body = codec.pack(["p2pchat/1/later", b""])
    newer = KeyLog(entries=(*entries, Signed(body=body, signature=ANN.root.sign(body)).encode())).encode()
    with pytest.raises(Corrupt, match="newer version") as caught:
        read_card(_forge(replace(CARD, key_log=newer)), now_ms=NOW_MS)
    assert "update" in caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_card_in_utf_16_is_refused_with_the_reason(encoding: str) -> None:
    text = codecs.BOM_UTF16_BE.decode("utf-16-be") * (encoding == "utf-16-be") + armour(b"x").decode()
    with pytest.raises(Corrupt, match="UTF-16") as caught:
        unarmour(text.encode(encoding))
    assert "UTF-8" in caught.value.hint
