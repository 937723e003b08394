"""The QR code of a card in what a user named: a picture of it, or its text."""

from dataclasses import dataclass
from typing import Final

from p2pchat.commands.arguments import names_among
from p2pchat.commands.pictures import is_picture, read_codes
from p2pchat.config import join_address
from p2pchat.errors import Corrupt, Failed

_TEXT: Final = b"P2PC"


@dataclass(frozen=True, slots=True)
class Code:
    text: str
    addresses: tuple[str, ...]  # HOST:PORT, each once


def card_code(path: str, data: bytes) -> Code | None:
    """None where it is neither a picture nor such a text. Raises Corrupt, Failed, each naming ``path``."""
    if is_picture(data):
        return _read(_chosen(path, read_codes(path, data)))
    return _read(data.decode("ascii", "replace").strip()) if data.lstrip().startswith(_TEXT) else None


def _chosen(path: str, codes: list[str]) -> str:
    prefix = _TEXT.decode()
    cards = [code for code in codes if code.startswith(prefix)]
    if len(cards) == 1:
        return cards[0]
    if cards:
        raise Corrupt(f"{path}: there are the codes of several cards in it", hint="take one picture of each")
    if any(code.startswith("PC1") for code in codes):
        hint = "ask for p2pchat contact card --qr"
        raise Failed(f"{path}: the code in it holds an ID alone, which does not say where to reach it", hint=hint)
    raise Corrupt(f"{path}: the QR code in it is no card of p2pchat", hint="ask for p2pchat contact card --qr")


def _read(text: str) -> Code:
    from p2pchat.wire.card_code import read_card_code

    listed = [join_address(address.host, address.port) for address in read_card_code(text).addresses]
    names = names_among(listed)  # nobody looks up a name that others chose
    return Code(text, tuple(dict.fromkeys(address for address in listed if address not in names)))
