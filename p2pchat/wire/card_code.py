"""A card as the text of one QR code: ID, addresses, and what the first link must show (protocol.md 4.1).

It holds no keys and no signature: whoever scans it believes what it is printed on. The rest comes over the first link.
"""

from typing import Final

from p2pchat.errors import BadFormat, Corrupt
from p2pchat.limits import CARD_CODE_CHARS
from p2pchat.wire.code_text import from_code, to_code
from p2pchat.wire.structs import CardCode

PREFIX: Final = "P2PC"
_AGAIN: Final = "ask for a new one: p2pchat contact card --qr"


def write_card_code(code: CardCode) -> str:
    """About 200 characters for one address."""
    return to_code(PREFIX, code.encode())


def read_card_code(text: str) -> CardCode:
    """Raises Corrupt for a text that is damaged or none of these. Whether it has expired is the caller's to judge."""
    body = from_code(PREFIX, text) if len(text) <= CARD_CODE_CHARS else None
    if body is None:
        raise Corrupt("the card's code is damaged", hint=_AGAIN)
    try:
        return CardCode.decode(body)
    except BadFormat as error:
        raise Corrupt(f"the card's code holds something wrong: {error.message}", hint=_AGAIN) from error
