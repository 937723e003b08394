"""A text as a QR code (ISO/IEC 18004): PNG and SVG to print, half-block characters to hold a phone at.

A text of the alphanumeric characters alone is written in that mode, all else in UTF-8 bytes. Dark modules are black on
white with four white ones around, wherever it is drawn: readers do not have to guess what is ink.
"""

import io
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from p2pchat.errors import Failed

if TYPE_CHECKING:
    from PIL import Image

QUIET: Final = 4  # modules around the code (ISO/IEC 18004, 6.3.8)
MODULE_PX: Final = 10
MODULE_MM: Final = 1  # of an SVG, printed as it is
_CAPTION: Final = 2.6  # modules: the size of its letters
_LINE: Final = 3.6  # modules from one line of it to the next
_LETTER: Final = 0.62  # of the size: as wide as a monospaced letter, and wider than most of the others
_PAPER: Final = "QM"  # dirt and folds may take a quarter of a code, or 15 % where it would not fit otherwise
_SCREEN: Final = "L"  # 7 %: a screen has no folds, and each column counts
_BLACK_ON_WHITE: Final = "\x1b[38;5;16;48;5;231m"  # of the 6 x 6 x 6 cube: a theme does not change these
_RESET: Final = "\x1b[0m"
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}

Modules = Sequence[Sequence[bool]]  # rows of columns, True where dark; square, the quiet zone included


def png(payload: str, caption: str = "") -> bytes:
    """A PNG of 10 pixels a module, with ``caption`` below the code. Raises Failed for more than a QR code holds."""
    from PIL import Image, ImageDraw, ImageFont

    modules = on_paper(payload)
    side, lines = len(modules) * MODULE_PX, _lines(caption, len(modules))
    image = Image.new("1", (side, side + round(len(lines) * _LINE * MODULE_PX)), 1)
    image.paste(_bitmap(modules).resize((side, side)), (0, 0))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(_CAPTION * MODULE_PX)
    for y, line in lines:
        pen.text((side / 2, y * MODULE_PX), line, 0, font, "mm")
    encoded = io.BytesIO()
    image.save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def svg(payload: str, caption: str = "") -> bytes:
    """An SVG of 1 mm a module, otherwise like ``png``."""
    modules = on_paper(payload)
    side, lines = len(modules), _lines(caption, len(modules))
    height = side + len(lines) * _LINE
    text = "".join(
        f'<text x="{side / 2:g}" y="{y:g}" font-family="monospace" font-size="{_CAPTION:g}" text-anchor="middle"'
        f' dominant-baseline="central">{escape(line)}</text>\n'
        for y, line in lines
    )
    path = "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in runs(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side * MODULE_MM:g}mm" height="{height * MODULE_MM:g}mm"'
        f' viewBox="0 0 {side:g} {height:g}">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<path shape-rendering="crispEdges" d="{path}"/>\n{text}</svg>\n'
    ).encode()


def terminal(payload: str, *, colours: bool = True) -> str:
    """Lines of ``columns`` characters, two rows of modules a line, in black and white on any background.

    Without ``colours`` what is light is drawn, and the background is taken for dark, as most terminals are.
    Nothing may wrap or shorten the lines. Raises Failed for more than a QR code holds.
    """
    rows = [*_modules(payload, _SCREEN), ()]
    width = len(rows[0])
    rows[-1] = (False,) * width  # the number of rows is odd
    halves = [zip(rows[y], rows[y + 1], strict=True) for y in range(0, width, 2)]
    if not colours:
        return "\n".join("".join(_HALVES[not top, not bottom] for top, bottom in line) for line in halves)
    return "\n".join(_BLACK_ON_WHITE + "".join(_HALVES[pair] for pair in line) + _RESET for line in halves)


def columns(payload: str) -> int:
    """The width that ``terminal`` needs: 85 for a part of a backup, 37 for an ID in capitals."""
    return len(_modules(payload, _SCREEN))


def on_paper(payload: str) -> Modules:
    """The code with as much error correction as paper needs. Raises Failed for more than a QR code holds."""
    return _modules(payload, _PAPER)


def runs(modules: Modules) -> Iterator[tuple[int, int, int]]:
    """The dark modules as rectangles one module high, one for each run of a row: column, row, width."""
    for y, row in enumerate(modules):
        x = 0
        for dark, group in groupby(row):
            width = len(list(group))
            if dark:
                yield x, y, width
            x += width


def _modules(payload: str, levels: str) -> Modules:
    """The smallest code at the first of the error correction ``levels`` at which it fits."""
    from qrcode import QRCode, constants  # type: ignore[import-untyped]  # here, as no other verb needs it
    from qrcode.exceptions import DataOverflowError  # type: ignore[import-untyped]

    for level in levels:
        code = QRCode(error_correction=getattr(constants, f"ERROR_CORRECT_{level}"), border=QUIET)
        code.add_data(payload, optimize=0)  # one mode for the whole: the alphanumeric one where it can be
        try:
            code.make(fit=True)
        except (DataOverflowError, ValueError):  # ValueError: version 41
            continue
        modules: Modules = code.get_matrix()
        return modules
    raise Failed("this is too long for a QR code", hint="write it to a file")


def _bitmap(modules: Modules) -> "Image.Image":
    """One pixel a module."""
    from PIL import Image

    image = Image.new("1", (len(modules), len(modules)))
    image.putdata([not dark for row in modules for dark in row])
    return image


def _lines(caption: str, side: int) -> list[tuple[float, str]]:
    """The caption's lines and the height of their middles, in modules from the top.

    They begin in the middle of the quiet zone, of which two modules stay white.
    """
    texts = textwrap.wrap(caption, int((side - 2) / (_CAPTION * _LETTER)))
    return [(side + _LINE * number, text) for number, text in enumerate(texts)]
