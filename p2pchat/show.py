"""Text that somebody else wrote, made fit for a terminal: nothing in it can act, hide, or pass for another's words.

A terminal obeys some characters, draws others invisibly, and lets one line look like two. Every such character becomes
a visible ``<U+XXXX>``, whether or not the output is a terminal: what goes into a file is looked at later. Right-to-left
text is isolated by marks of our own, so that it cannot reorder what stands beside it. Pure; standard library only.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

LINE_COLUMNS: Final = 2000
BODY_BYTES: Final = 64 * 1024
NICKNAME_COLUMNS: Final = 32
COMBINING_MARKS: Final = 4  # on one base character
GUTTER: Final = "  | "
TAB_COLUMNS: Final = 8
SHORT_ID_CHARS: Final = 11  # "pc1" and eight more: enough for every verb that takes an ID

_ZERO_WIDTH_JOINER: Final = "\u200d"
_DOTTED_CIRCLE: Final = "\u25cc"  # carries a mark that would otherwise sit on our own character
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_ISOLATE: Final = "\u2069"
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
# Vowels and finals of Hangul, letters that are drawn over what stands before them; U+1160 draws nothing.
_JAMO: Final = frozenset(map(chr, (*range(0x1161, 0x1200), *range(0xD7B0, 0xD7C7), *range(0xD7CB, 0xD7FC))))
# Draw nothing or mere space, though their category says otherwise (Unicode 16, section 5.21; the braille blank).
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159")
_VARIATIONS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_PRESENTATION: Final = frozenset("\ufe0e\ufe0f")  # a pictograph as text, in colours
_KEYCAP: Final = "\u20e3"
_WIDTHLESS: Final = frozenset({"Mn", "Me", "Cf"})
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_SKIN_TONES: Final = frozenset(chr(c) for c in range(0x1F3FB, 0x1F400))
_PICTOGRAPHS: Final = (range(0x2190, 0x2C00), range(0x1F000, 0x1F3FB), range(0x1F400, 0x1FB00))
# Enough to notice a double; the whole table of UTS 39 would be 200 kB.
_CYRILLIC: Final = ("аеорсухіјѕԁԛԝһкмтнвгь", "aeopcyxijsdqwhkmthbrb")
_GREEK: Final = ("αεορτυνικ", "aeoptuvik")
_ARMENIAN: Final = ("օոսհցզյ", "onuhgqj")
_SMALL_CAPITALS: Final = ("ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdeghijkimnoprstuvwyz")
_OTHERS: Final = ("ıɡɑ01|l$5", "igaoiiiss")
_ALPHABETS: Final = (_CYRILLIC, _GREEK, _ARMENIAN, _SMALL_CAPITALS, _OTHERS)
_LOOK_ALIKES: Final = str.maketrans(*("".join(part) for part in zip(*_ALPHABETS, strict=True)))
_PAIRS: Final = (("rn", "m"), ("vv", "w"))  # that read as one letter


def show(text: str, columns: int = LINE_COLUMNS) -> str:
    """``text`` on one line of at most ``columns``, cut with an ellipsis; line breaks, too, become visible."""
    clean = _clean(text[: 8 * columns])
    return _isolated(_cut(clean, columns))


def show_body(text: str, gutter: str = GUTTER) -> str:
    """A message of one or more lines, each behind ``gutter``: none of them can look like a line of ours.

    Tabs become spaces. A line longer than ``LINE_COLUMNS`` goes on behind the next gutter. No newline at the end.
    """
    raw = text.encode("utf-8", "surrogatepass")
    kept = raw[:BODY_BYTES].decode("utf-8", "ignore") if len(raw) > BODY_BYTES else text
    lines = [piece for line in kept.replace("\r\n", "\n").split("\n") for piece in _pieces(line)]
    if kept is not text:
        lines.append(f"... {len(raw) - BODY_BYTES} bytes more; --json has them all")
    return "\n".join(f"{gutter}{line}".rstrip(" ") for line in lines)


def show_name(nickname: str | None, user_id: str) -> str:
    """How a person is named in output: the short ID first, which no nickname can imitate, then the nickname."""
    nick = " ".join((nickname or "").split())
    short = show(user_id, SHORT_ID_CHARS + 1)[:SHORT_ID_CHARS]
    return f"{short} {show(nick, NICKNAME_COLUMNS)}" if nick else short


def fold(line: str, columns: int) -> str:
    """A line that holds cleaned text of somebody else, in lines that no terminal of ``columns`` breaks by itself.

    What it broke would go on at its left edge, where only our own words stand: blanks in a text can be counted so that
    the rest of it looks like the next line of ours. So we break, and every further line begins with ``GUTTER``.
    """
    pieces: list[str] = []
    rest, isolated = line, False
    while rest or not pieces:
        room = columns if not pieces else columns - len(GUTTER)
        piece = next(_chunks(rest, max(2, room), joined=False))
        rest = rest[len(piece) :]
        shown = f"{_FIRST_STRONG_ISOLATE}{piece}" if isolated else piece
        isolated = shown.count(_FIRST_STRONG_ISOLATE) > shown.count(_POP_ISOLATE)
        pieces.append(f"{shown}{_POP_ISOLATE}" if isolated else shown)
    return f"\n{GUTTER}".join(pieces)


def skeleton(nickname: str) -> str:
    """What is left of a name when letters that look alike are made one: equal skeletons can be mistaken."""
    decomposed = unicodedata.normalize("NFKD", _clean(nickname[:256]))
    letters = "".join(c for c in decomposed.casefold() if unicodedata.category(c) not in _MARKS)
    alike = letters.translate(_LOOK_ALIKES)
    for pair, letter in _PAIRS:
        alike = alike.replace(pair, letter)
    return "".join(alike.split())


def width(text: str) -> int:
    """Columns that cleaned text takes on a terminal."""
    return sum(columns for _, columns in _measured(text))


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    cleaned: list[str] = []
    bare, marks = True, 0  # bare: what stands before is ours, and carries no marks
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if _is_mark(char, category) and not _hides(text, at):
            marks += 1
            if bare:
                cleaned.append(_DOTTED_CIRCLE)
                bare = False
            if marks <= COMBINING_MARKS:
                cleaned.append(char)
            elif marks == COMBINING_MARKS + 1:
                cleaned.append("<more marks>")
            continue
        marks = 0
        if category in _REFUSED or _hides(text, at):
            bare = not (char == _ZERO_WIDTH_JOINER and _joins_pictographs(text, at))
            cleaned.append(f"<U+{ord(char):04X}>" if bare else char)
        else:
            bare = False
            cleaned.append(char)
    # After the marks were bounded: normalisation sorts a run of them in quadratic time.
    return unicodedata.normalize("NFC", "".join(cleaned))


def _is_mark(char: str, category: str) -> bool:
    return category in _MARKS or char in _JAMO


def _hides(text: str, at: int) -> bool:
    """Whether the character there draws nothing; a presentation mark does its work on a symbol, or makes a keycap."""
    char = text[at]
    if char in _INVISIBLE:
        return True
    if char not in _VARIATIONS:
        return False
    if char not in _PRESENTATION or at == 0:
        return True
    base = unicodedata.category(text[at - 1])
    return not (base[0] == "S" or base in {"Po", "Pd"} or text[at + 1 : at + 2] == _KEYCAP)


def _joins_pictographs(text: str, at: int) -> bool:
    before = at - 1
    while before >= 0 and (text[before] == "\ufe0f" or text[before] in _SKIN_TONES):
        before -= 1
    return before >= 0 and at + 1 < len(text) and _is_pictograph(text[before]) and _is_pictograph(text[at + 1])


def _is_pictograph(char: str) -> bool:
    return unicodedata.category(char) == "So" and any(ord(char) in block for block in _PICTOGRAPHS)


def _measured(text: str, *, joined: bool = True) -> Iterator[tuple[str, int]]:
    """Each character with its columns; what only changes its neighbour takes none.

    ``joined``: pictographs that make one are as wide as one. Not every terminal draws them so.
    """
    before = ""
    for char in text:
        category = unicodedata.category(char)
        one = before == _ZERO_WIDTH_JOINER or (char in _SKIN_TONES and _takes_skin_tone(before))
        if (one and joined) or category in _WIDTHLESS or char in _JAMO:
            yield char, 0
        else:
            yield char, 2 if unicodedata.east_asian_width(char) in "WF" else 1
        before = char


def _takes_skin_tone(before: str) -> bool:
    return before == "\ufe0f" or (before != "" and _is_pictograph(before))


def _cut(text: str, columns: int) -> str:
    if len(text) * 2 <= columns or width(text) <= columns:
        return text
    return next(_chunks(text, columns - 1)).removesuffix(_ZERO_WIDTH_JOINER) + "\u2026"


def _pieces(line: str) -> list[str]:
    """One line of a body, cleaned, in pieces of at most ``LINE_COLUMNS``."""
    clean = _clean(line.expandtabs(TAB_COLUMNS))
    return [_isolated(piece) for piece in _chunks(clean, LINE_COLUMNS)]


def _chunks(text: str, columns: int, *, joined: bool = True) -> Iterator[str]:
    """``text`` in pieces of at most ``columns``; an empty text is one empty piece."""
    start = used = 0
    for at, (_, takes) in enumerate(_measured(text, joined=joined)):
        if used + takes > columns:
            yield text[start:at]
            start, used = at, 0
        used += takes
    yield text[start:]


def _isolated(text: str) -> str:
    if text.isascii() or not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return text
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"
