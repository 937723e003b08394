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
TEXT_CHARS: Final = 61  # "pc1" + 52 (256 bits in fives) + 6 checksum
_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M: Final = 0x2BC830A3
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_HUMAN_VALUES: Final = [ord(c) >> 5 for c in HUMAN_PART] + [0] + [ord(c) & 31 for c in HUMAN_PART]


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
    bits = int.from_bytes(user) << 4  # 260 bits, the last four zero
    data = [(bits >> shift) & 31 for shift in range(255, -1, -5)]
    check = _polymod([*_HUMAN_VALUES, *data, *[0] * 6]) ^ _BECH32M
    data += [(check >> shift) & 31 for shift in range(25, -1, -5)]
    return HUMAN_PART + "1" + "".join(_ALPHABET[v] for v in data)


def parse_user_id(text: str) -> UserId:
    """Read an ID as a person typed it: any single case; blanks and dashes are ignored.

    Nothing is corrected: a corrected slip would be somebody else's ID. Raises BadFormat.
    """
    if len(text) > 4 * TEXT_CHARS:
        raise BadFormat("this is too long to be an ID", hint="an ID is 61 characters: pc1...")
    squeezed = re.sub(r"[\s\-]", "", text)
    if squeezed.lower() != squeezed and squeezed.upper() != squeezed:
        raise BadFormat("an ID is written in one case, upper or lower", hint="copy the ID again")
    word = squeezed.lower()
    if not word.startswith(HUMAN_PART + "1"):
        raise BadFormat("an ID begins with pc1", hint="p2pchat whoami")
    if len(word) != TEXT_CHARS:
        raise BadFormat(f"an ID has {TEXT_CHARS} characters, this has {len(word)}", hint="copy the ID again")
    strange = [c for c in word[3:] if c not in _ALPHABET]
    if strange:
        raise BadFormat(f"an ID never contains {strange[0]!r}", hint="copy the ID again")
    data = [_ALPHABET.index(c) for c in word[3:]]
    bits = 0
    for value in data[:52]:
        bits = bits << 5 | value
    if _polymod([*_HUMAN_VALUES, *data]) != _BECH32M or bits & 15:
        raise BadFormat("this ID has a typing error: its checksum is wrong", hint="copy the ID again")
    return UserId((bits >> 4).to_bytes(32))
