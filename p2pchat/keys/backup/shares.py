"""A backup that opens with any M of N shares: its key is split, and every share carries the whole container.

A share is a text: 33 words of SLIP-39 (Shamir's scheme over GF(256), a checksum for each share, a digest of the whole)
in three lines, and the lines of the string (``text``). Fewer than M shares tell nothing of the key.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.backup.text import TEXT_CHARS, from_text, to_lines
from p2pchat.limits import SHARES

KEY_BYTES: Final = 32
WORDS: Final = 33
_A_LINE: Final = 11
_WORD_LINE: Final = re.compile(r"(?:[a-z]+ +){10}[a-z]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """One of the texts, read."""

    container: bytes
    words: str
    need: int  # so many shares open it
    repaired: tuple[int, ...] = ()  # lines of the container that were wrong or missing


def split(key: bytes, need: int, of: int) -> list[str]:
    """``of`` lists of 33 words for a key of 32 bytes. Raises Failed without the library, or for counts it refuses."""
    library = _library()
    if not 2 <= need <= of <= SHARES:
        raise Failed(f"a key is split into at most {SHARES} shares, of which at least 2 open it", hint="--shares 2/3")
    (words,) = library.generate_mnemonics(1, [(need, of)], key, iteration_exponent=0)
    return list(words)


def combine(shares: Sequence[Share]) -> bytes:
    """The key. Raises Corrupt where shares are missing or of different keys."""
    library = _library()
    words = list(dict.fromkeys(share.words for share in shares))
    need = max(share.need for share in shares)
    if len(words) < need:
        missing = f"{need} shares open this backup, and there {'is' if len(words) == 1 else 'are'} {len(words)}"
        raise Corrupt(missing, hint="ask for another share; the same one twice counts once")
    try:
        return bytes(library.combine_mnemonics(words[:need]))
    except library.MnemonicError as error:
        raise Corrupt("these shares do not belong together", hint="p2pchat key inspect SHARE...") from error


def write(container: bytes, words: str) -> str:
    """The text of one share, without a heading."""
    listed = words.split()
    lines = [" ".join(listed[at : at + _A_LINE]) for at in range(0, WORDS, _A_LINE)]
    return "\n".join([*lines, "", *to_lines(container), ""])


def read(text: str) -> Share:
    """One share's text. Raises Corrupt, which names what is damaged."""
    if len(text) > TEXT_CHARS:
        raise Corrupt(
            f"this is no share: it has more than {TEXT_CHARS // 1024} KiB", hint="give the share's text alone"
        )
    lines = _word_lines(text)
    if len(lines) > WORDS // _A_LINE and len(lines) % (WORDS // _A_LINE) == 0:
        raise Corrupt("this text holds the words of more than one share", hint="put each into a file of its own")
    words = " ".join(lines)
    if len(lines) != WORDS // _A_LINE:
        raise Corrupt(
            f"this is no share: its {WORDS} words in three lines are not there", hint="look at the paper again"
        )
    library = _library()
    try:
        need = library.Share.from_mnemonic(words).member_threshold
    except library.MnemonicError as error:
        hint = "compare them with the paper, one by one"
        raise Corrupt("the words of the share are damaged: one is wrong or in another place", hint=hint) from error
    found = from_text(text)
    return Share(found.container, words, need, found.repaired)


def holds_words(text: str) -> bool:
    """Whether a text is of a share, or of several."""
    lines = _word_lines(text)
    return bool(lines) and len(lines) % (WORDS // _A_LINE) == 0


def _word_lines(text: str) -> list[str]:
    return [line for raw in text.lower().splitlines() if _WORD_LINE.fullmatch(line := _plain(raw))]


def _plain(line: str) -> str:
    return " ".join(line.split())


def one_container(shares: Iterable[Share]) -> bytes:
    """What all shares carry. Raises Corrupt where they carry different ones."""
    containers = {share.container for share in shares}
    if len(containers) != 1:
        raise Corrupt("these are shares of different backups", hint="p2pchat key inspect SHARE")
    return containers.pop()


def _library() -> Any:
    """It is an extra, which may be missing, and has no types."""
    try:
        import shamir_mnemonic  # type: ignore[import-untyped]
    except ImportError:
        hint = "pip install 'p2pchat[shares]'"
        raise Failed("splitting a key takes a library that is not installed (shamir-mnemonic)", hint=hint) from None
    return shamir_mnemonic
