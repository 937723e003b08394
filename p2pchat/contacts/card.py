"""The card file: all that somebody needs to become a contact without a tracker, as text that survives a mail.

::

    -----BEGIN P2PCHAT CARD-----
    <base64 of an encoded Signed(Card), 64 characters a line>
    =<base64 of SHA-256[:12] of those bytes>
    -----END P2PCHAT CARD-----

A reader takes any text around it, CRLF, blank lines, trailing blanks and mail quoting (``> ``); never two cards.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from p2pchat.errors import BadFormat, Corrupt, CryptoError, Untrusted
from p2pchat.ids import UserId
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.identity import Identity
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.own_log import whole
from p2pchat.keys.signed import sign, verify_address_record, verify_card_signature
from p2pchat.limits import CARD_BYTES, CARD_DAYS, CARD_FILE_BYTES
from p2pchat.wire.structs import AddressRecord, Card, DeviceRecord, Signed

BEGIN: Final = "-----BEGIN P2PCHAT CARD-----"
END: Final = "-----END P2PCHAT CARD-----"
CARD_MS: Final = CARD_DAYS * 24 * 3600 * 1000
_LINE_CHARS: Final = 64
_LINES: Final = 16_384  # a card has at most 1400; the rest is the mail around it
_SUM_BYTES: Final = 12
_QUOTE: Final = re.compile(r"^(?:\xef\xbb\xbf)?(?:[ \t]*>){0,32}[ \t]*")  # behind a UTF-8 mark, as some editors write
_ASK_AGAIN: Final = "ask for a new card: p2pchat contact card --out FILE"


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A card whose every signature has been checked."""

    user: UserId
    chain: KeyChain
    devices: VerifiedSet
    device: DeviceRecord  # the one that signed the card
    addresses: AddressRecord | None  # None: the card names no address
    nickname: str  # as the peer wrote it: clean it before it meets a terminal
    card: Card  # ``card.addresses`` is the signed record for the gate


def write_card(identity: Identity, *, addresses: bytes, nickname: str, now_ms: int) -> bytes:
    """The file's bytes (ASCII). ``addresses``: an encoded Signed(AddressRecord), or empty.

    Good for 90 days, and never longer than the device set that it carries. Raises Untrusted while the own key log is
    not known.
    """
    card = Card(
        user=identity.user,
        device=identity.device.device,
        key_log=whole(identity.chain).raw,
        device_set=identity.devices.raw,
        addresses=addresses,
        nickname=nickname,
        created_ms=now_ms,
        not_after_ms=min(now_ms + CARD_MS, identity.devices.not_after_ms),
    )
    return armour(sign(card, identity.device))


def read_card(data: bytes, *, now_ms: int) -> ReadCard:
    """Check a card file from the outside in: armour, checksum, structure, key log, device set, signatures, expiry.

    Raises Corrupt for a file that is damaged or no card, BadSignature, or Untrusted (another ID inside, expired):
    all exit status 6, and each says what failed.
    """
    raw = unarmour(data)
    try:
        return _check(raw, now_ms)
    except (BadFormat, CryptoError) as error:
        hint = error.hint or _ASK_AGAIN
        raise Corrupt(f"the card holds something wrong: {error.message}", hint=hint) from error


def _check(raw: bytes, now_ms: int) -> ReadCard:
    signed = Signed.decode(raw)
    claimed = Card.decode(signed.body)
    chain = verify_key_log(claimed.key_log)
    devices = verify_device_set(claimed.device_set, chain)
    card = verify_card_signature(signed, devices)
    addresses = verify_address_record(card.addresses, devices) if card.addresses else None
    check_expiry(min(card.not_after_ms, devices.not_after_ms), now_ms)
    device = devices.device(card.device)
    assert device is not None  # its signature has just been checked
    return ReadCard(
        user=chain.user,
        chain=chain,
        devices=devices,
        device=device,
        addresses=addresses,
        nickname=card.nickname,
        card=card,
    )


def check_expiry(not_after_ms: int, now_ms: int) -> None:
    """Raises Untrusted for a card that is too old."""
    if now_ms <= not_after_ms:
        return
    raise Untrusted(
        f"the card was good until {_day(not_after_ms)}, and this machine's clock says {_day(now_ms)}",
        hint=f"if the clock is right, {_ASK_AGAIN}",
    )


def _day(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "a day beyond all calendars"


def armour(raw: bytes) -> bytes:
    """The card's text form."""
    text = base64.b64encode(raw).decode()
    lines = [text[i : i + _LINE_CHARS] for i in range(0, len(text), _LINE_CHARS)]
    return "\n".join([BEGIN, *lines, "=" + _checksum(raw), END, ""]).encode()


def unarmour(data: bytes) -> bytes:
    """The bytes inside a card's text form. Raises Corrupt."""
    if len(data) > CARD_FILE_BYTES:
        raise Corrupt(f"this is no card: a card file has at most {CARD_FILE_BYTES // 1024} KiB", hint=_ASK_AGAIN)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Corrupt("the card was saved as UTF-16, of which nothing can be read", hint="save the file as UTF-8")
    lines = list(_card_lines(data))
    if not lines or not lines[-1].startswith("="):
        raise Corrupt("the card is damaged: its checksum line is missing", hint=_ASK_AGAIN)
    try:
        raw = _strict_base64("".join(lines[:-1]))
    except (binascii.Error, ValueError) as error:
        raise Corrupt("the card is damaged: a line holds something else than base64", hint=_ASK_AGAIN) from error
    if lines[-1][1:] != _checksum(raw):
        raise Corrupt("the card is damaged (checksum)", hint=_ASK_AGAIN)
    if len(raw) > CARD_BYTES:
        raise Corrupt(f"a card holds at most {CARD_BYTES // 1024} KiB", hint=_ASK_AGAIN)
    return raw


def _card_lines(data: bytes) -> Iterator[str]:
    """The lines between BEGIN and END, without quoting and blanks. Raises Corrupt where either is missing."""
    if data.count(b"\n") > _LINES:
        raise Corrupt(f"this is no card: the file has more than {_LINES} lines", hint=_ASK_AGAIN)
    lines = [_QUOTE.sub("", line).rstrip(" \t\r") for line in data.decode("latin-1").split("\n")]
    begins = lines.count(BEGIN)
    if begins == 0:
        raise Corrupt("this is no p2pchat card: its first line is missing", hint=_ASK_AGAIN)
    if begins > 1:
        raise Corrupt("the file holds more than one card", hint="save each card in a file of its own")
    inside = lines[lines.index(BEGIN) + 1 :]
    if END not in inside:
        raise Corrupt("the card is damaged: its last line is missing", hint=_ASK_AGAIN)
    return filter(None, inside[: inside.index(END)])


def _strict_base64(text: str) -> bytes:
    """Exactly one text decodes to each value: stray characters and stray bits are refused."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not canonical")
    return raw


def _checksum(raw: bytes) -> str:
    return base64.b64encode(sha256(raw).digest()[:_SUM_BYTES]).decode()
