"""How long a password would stand, said honestly, and a phrase that needs no such guess. Pure.

The estimate is a lower one: a guesser tries common words, repetitions, runs and years first, so these count as one
choice each, and only what is left counts by its alphabet. It flatters no password that was thought up.
"""

import math
import re
import unicodedata
from typing import Final

_WORDS: Final = """
password passwort secret letmein welcome admin administrator login master hello monkey dragon football baseball
superman batman princess sunshine shadow iloveyou love trustno1 freedom whatever qwerty qwertz azerty asdf zxcv
charlie michael jordan thomas daniel jessica summer winter spring autumn monday friday computer internet p2pchat
correct horse battery staple test guest default changeme starwars pokemon cheese coffee berlin london paris
"""
_COMMON: Final = frozenset(_WORDS.split())
_COMMON_BITS: Final = 10.0  # position in a list of the thousand most used words
_RUN_BITS: Final = 6.0  # where a run or repetition starts, and how long it is
_YEAR_BITS: Final = 7.0
_WORD_BITS: Final = 13.0  # a word of lower-case letters: about one of 8000
_RUNS: Final = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_LEET: Final = str.maketrans("013457@$!", "oleastasi")
_GUESSES_PER_S: Final = 10_000.0  # a thousand rented machines against Argon2id with 256 MiB and three passes

# Proquints (Wilkerson, arXiv:0901.4016): 16 bits as five letters that can be said aloud.
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"


def generated_phrase(fresh: bytes) -> str:
    """``fresh`` (an even number of random bytes) as pronounceable words: ten bytes make five words, 80 bits."""
    assert len(fresh) % 2 == 0
    return "-".join(_proquint(int.from_bytes(fresh[at : at + 2])) for at in range(0, len(fresh), 2))


def strength_bits(password: str) -> float:
    """About how many bits a guesser who knows how people choose has to try."""
    text = unicodedata.normalize("NFKC", password)
    return min(sum(_piece_bits(piece) for piece in _pieces(text)), _disguised_bits(text))


def describe(password: str) -> str:
    """The strength in words, with the time that a well-equipped thief of the file needs."""
    bits = strength_bits(password)
    word = "weak" if bits < 40 else "fair" if bits < 60 else "strong"
    return f"strength: about {bits:.0f} bits, {word}: {_time_words(2.0 ** (bits - 1) / _GUESSES_PER_S)} for a thief"


def _disguised_bits(text: str) -> float:
    """For a common word in disguise, such as ``P@ssw0rd1!``; without end for anything else."""
    match = re.fullmatch(r"(.+?)([\d\W_]{0,4})", text)
    if match is None or match[1].lower().translate(_LEET) not in _COMMON:
        return math.inf
    return _COMMON_BITS + 2.0 + 3.5 * len(match[2])


def _pieces(text: str) -> list[str]:
    """Cut where a guesser would: words, numbers, and single other characters."""
    return re.findall(r"[^\W\d_]+|\d+|[\W_]", text)


def _piece_bits(piece: str) -> float:
    lower = piece.lower()
    capitals = 0.0 if piece in {lower, piece.capitalize()} else float(min(len(piece), 8))
    bits = _by_alphabet(piece)
    if len(piece) > 2 and (len(set(lower)) == 1 or any(lower in run or lower in run[::-1] for run in _RUNS)):
        bits = min(bits, _RUN_BITS)
    if re.fullmatch(r"(19|20)\d\d", piece):
        bits = min(bits, _YEAR_BITS)
    if lower in _COMMON:
        bits = min(bits, _COMMON_BITS + capitals)
    if piece.isalpha() and len(piece) <= 12:
        bits = min(bits, _WORD_BITS + capitals)
    return bits


def _by_alphabet(piece: str) -> float:
    sizes = {"lower": 26, "upper": 26, "digit": 10, "other": 33}
    kinds = {_kind(char) for char in piece}
    # Repeated characters count half: a guesser's grammar has "twice".
    weight = len(set(piece)) + (len(piece) - len(set(piece))) / 2
    return weight * math.log2(sum(sizes[kind] for kind in kinds))


def _kind(char: str) -> str:
    if char.isdigit():
        return "digit"
    if char.isalpha():
        return "upper" if char.isupper() else "lower"
    return "other"


def _time_words(seconds: float) -> str:
    for name, length in (("centuries", 3.156e9), ("years", 3.156e7), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= 2 * length:
            count = seconds / length
            return f"more than a million {name}" if count > 1e6 else f"about {count:,.0f} {name}"
    return "minutes" if seconds >= 120 else "seconds"


def _proquint(value: int) -> str:
    letters = []
    for bits, alphabet in ((12, _CONSONANTS), (10, _VOWELS), (6, _CONSONANTS), (4, _VOWELS), (0, _CONSONANTS)):
        letters.append(alphabet[value >> bits & len(alphabet) - 1])
    return "".join(letters)
