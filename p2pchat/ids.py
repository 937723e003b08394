"""Names of things: typed identifiers, and the text form of a user's ID.

An ID is 32 bytes (a public key that commits to the RSA root, ``keys.user_id``); its text is Bech32m
(BIP-350) with the human part ``pc``: 61 characters, case-insensitive, every 1-4 wrong characters found.
"""

import re
from functools import lru_cache
from typing import Final, NewType

from p2pchat.errors import BadFormat

UserId = NewType("UserId", bytes)  # 32 bytes: Q
DeviceId = NewType("DeviceId", bytes)  # 16 random bytes
MessageId = NewType("MessageId", bytes)  # 16 bytes, the sender's check code (``new_message_id``)
Incarnation = NewType("Incarnation", bytes)  # 8 random bytes: which life of a queue a cursor speaks of
EpochId = NewType("EpochId", bytes)  # 8 bytes, derived from the epoch's transcript

MESSAGE_ID_FRESH_BYTES: Final = 13

HUMAN_PART: Final = "pc"
RECOVERY_PART: Final = "pcr"
TEXT_CHARS: Final = 61  # "pc1" + 52 (256 bits in fives) + 6 checksum
_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M: Final = 0x2BC830A3
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def new_message_id(fresh: bytes, now_ms: int) -> MessageId:
    """13 random bytes, then when it was made, in steps of 4 s: ids made together lie together in an index (store)."""
    assert len(fresh) == MESSAGE_ID_FRESH_BYTES
    return MessageId(fresh + (now_ms >> 12 & 0xFFFFFF).to_bytes(3))


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATOR):
            check ^= generator if (top >> i) & 1 else 0
    return check


@lru_cache(maxsize=4096)  # one a contact; 20 microseconds each, and every answer and event names one
def user_id_text(user: UserId) -> str:
    """``pc1...``: the 61 characters that people exchange."""
    return _bech32m(HUMAN_PART, user)


def parse_user_id(text: str) -> UserId:
    """Read an ID as a person typed it: any single case; blanks and dashes are ignored.

    Nothing is corrected: a corrected slip would be somebody else's ID. Raises BadFormat.
    """
    return UserId(_parse(HUMAN_PART, text, "an ID", "p2pchat whoami"))


def recovery_text(seed: bytes) -> str:
    """``pcr1...``: 62 characters to print once, for the 32 bytes of a recovery key."""
    return _bech32m(RECOVERY_PART, seed)


def parse_recovery(text: str) -> bytes:
    """The 32 bytes of a recovery key. Raises BadFormat, as ``parse_user_id``."""
    return _parse(RECOVERY_PART, text, "a recovery key", "p2pchat init --help")


def _bech32m(human: str, payload: bytes) -> str:
    """BIP-350, for 32 bytes."""
    bits = int.from_bytes(payload) << 4  # 260 bits, the last four zero
    data = [(bits >> shift) & 31 for shift in range(255, -1, -5)]
    check = _polymod([*_values(human), *data, *[0] * 6]) ^ _BECH32M
    data += [(check >> shift) & 31 for shift in range(25, -1, -5)]
    return human + "1" + "".join(_ALPHABET[v] for v in data)


def _parse(human: str, text: str, what: str, shown_by: str) -> bytes:
    """``what``, with its article, and the command that prints one are for the errors."""
    whole = len(human) + 59
    name = what.partition(" ")[2]
    again = f"copy the {name} again"
    if len(text) > 4 * whole:
        raise BadFormat(f"this is too long to be {what}", hint=f"{what} is {whole} characters: {human}1...")
    squeezed = re.sub(r"[\s\-]", "", text)
    if squeezed.lower() != squeezed and squeezed.upper() != squeezed:
        raise BadFormat(f"{what} is written in one case, upper or lower", hint=again)
    word = squeezed.lower()
    if not word.startswith(human + "1"):
        raise BadFormat(f"{what} begins with {human}1", hint=shown_by)
    if len(word) != whole:
        raise BadFormat(f"{what} has {whole} characters, this has {len(word)}", hint=again)
    symbols = word[len(human) + 1 :]
    strange = [c for c in symbols if c not in _ALPHABET]
    if strange:
        raise BadFormat(f"{what} never contains {strange[0]!r}", hint=again)
    data = [_ALPHABET.index(c) for c in symbols]
    bits = 0
    for value in data[:52]:
        bits = bits << 5 | value
    if _polymod([*_values(human), *data]) != _BECH32M or bits & 15:
        raise BadFormat(f"this {name} has a typing error: its checksum is wrong", hint=again)
    return (bits >> 4).to_bytes(32)


@lru_cache(maxsize=2)
def _values(human: str) -> list[int]:
    return [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
