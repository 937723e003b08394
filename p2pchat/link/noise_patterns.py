"""Noise patterns as data (Noise revision 34, sections 7.4, 7.5 and 9.4; appendix 18.1 for XX1)."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from p2pchat.errors import BadFormat


class Token(Enum):
    E = "e"
    S = "s"
    EE = "ee"
    ES = "es"
    SE = "se"
    SS = "ss"
    PSK = "psk"
    E1 = "e1"  # an ML-KEM public key
    EKEM1 = "ekem1"  # a ciphertext for it


@dataclass(frozen=True, slots=True)
class Pattern:
    """``messages`` alternate, the initiator first; the pre-messages tell whose static key is known beforehand."""

    protocol_name: str
    initiator_known: bool
    responder_known: bool
    messages: tuple[tuple[Token, ...], ...]
    uses_psk: bool

    def premessage(self, initiator: bool) -> bool:
        return self.initiator_known if initiator else self.responder_known


# name: (the initiator's s is known, the responder's s is known, messages)
_BASIC: Final[dict[str, tuple[bool, bool, tuple[str, ...]]]] = {
    "NN": (False, False, ("e", "e ee")),
    "KK": (True, True, ("e es ss", "e ee se")),
    "XK": (False, True, ("e es", "e ee", "s se")),
    "IK": (False, True, ("e es s ss", "e ee se")),
    "XX": (False, False, ("e", "e ee s es", "s se")),
    "XX1": (False, False, ("e", "e ee s", "es s se")),
}


def pattern(protocol_name: str) -> Pattern:
    """Look up and modify: ``Noise_XXpsk0+hfs_25519+MLKEM768_ChaChaPoly_SHA256``. Raises BadFormat.

    ``pskN`` goes before message 1 (N = 0) or behind message N; ``hfs`` adds e1 to the first e and ekem1 to each ee.
    """
    parsed = re.fullmatch(r"Noise_([A-Z]+1?)([a-z0-9+]*)_25519(\+MLKEM768)?_ChaChaPoly_SHA256", protocol_name)
    if parsed is None or parsed[1] not in _BASIC:
        raise BadFormat(f"no such Noise protocol: {protocol_name}")
    initiator_known, responder_known, texts = _BASIC[parsed[1]]
    messages = [[Token(word) for word in text.split()] for text in texts]
    modifiers = parsed[2].split("+") if parsed[2] else []
    if "hfs" in modifiers:
        messages = [_with_hfs(message, first=number == 0) for number, message in enumerate(messages)]
    psks = sorted(int(modifier[3:]) for modifier in modifiers if modifier != "hfs")
    for place in psks:
        if place == 0:
            messages[0].insert(0, Token.PSK)
        else:
            messages[place - 1].append(Token.PSK)
    frozen = tuple(tuple(message) for message in messages)
    return Pattern(protocol_name, initiator_known, responder_known, frozen, bool(psks))


def _with_hfs(message: list[Token], *, first: bool) -> list[Token]:
    added: list[Token] = []
    for token in message:
        added.append(token)
        if token is Token.E and first:
            added.append(Token.E1)
        elif token is Token.EE:
            added.append(Token.EKEM1)
    return added
