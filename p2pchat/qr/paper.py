"""A sheet to print: QR codes, lines to type in, and words for whoever finds it, as a PDF of A4 or Letter pages.

It is drawn by fpdf2, with the fonts that every reader of PDFs has, so all text is ASCII. Codes are drawn as rectangles,
not as pictures: they stay sharp on any printer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from p2pchat.errors import Failed
from p2pchat.qr.draw import Modules, on_paper, runs

if TYPE_CHECKING:
    from fpdf import FPDF

SIZES: Final = ("a4", "letter")
CODE_MM: Final = 78.0  # a part of a backup has about 105 modules: 0.7 mm each
_MARGIN: Final = 15.0  # printers leave 5 to 7 mm white
_FOOT: Final = 12.0
_TEXT_PT: Final = 10
_LINE_MM: Final = 4.6
_TYPED_PT: Final = 10.5  # of the lines that somebody may have to copy by hand
_TYPED_MM: Final = 5.0
_DENSEST_MM: Final = 3.7
_GAP: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on it, from top to bottom; all text in ASCII."""

    title: str
    facts: Sequence[tuple[str, str]]  # name, value
    words: Sequence[str]  # paragraphs
    codes: Sequence[tuple[str, str]]  # payload, caption; three
    beside: Sequence[str]  # paragraphs in the free place after the third code
    lines_title: str
    lines: Sequence[str]
    foot: str


def draw(sheet: Sheet, size: str, attached: tuple[str, bytes]) -> bytes:
    """The PDF; ``size`` is one of SIZES. ``attached``: a file's name and content that travel inside of it.

    Raises Failed where the library is missing.
    """
    try:
        import fpdf
    except ImportError as error:
        hint = "pip install 'p2pchat[paper]'"
        raise Failed("drawing a sheet to print takes the extra 'paper'", hint=hint) from error

    class Pages(fpdf.FPDF):
        def footer(self) -> None:
            self.set_y(-_FOOT)
            self.set_font("Courier", "", 8)
            self.cell(0, 4, f"{sheet.foot}   page {self.page_no()} of {{nb}}", align="C")

    pdf = Pages(format=size)
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(True, _MARGIN)
    pdf.set_title(sheet.title)
    pdf.add_page()
    _head(pdf, sheet)
    _codes(pdf, sheet)
    pdf.add_page()
    _typed(pdf, sheet)
    name, content = attached
    pdf.embed_file(basename=name, bytes=content, compress=False)
    return bytes(pdf.output())


def _head(pdf: "FPDF", sheet: Sheet) -> None:
    pdf.set_font("Helvetica", "B", 18)
    pdf.multi_cell(0, 9, sheet.title, new_x="LMARGIN", new_y="NEXT")
    for name, value in sheet.facts:
        pdf.set_font("Helvetica", "B", _TEXT_PT)
        pdf.cell(22, _LINE_MM, name)
        pdf.set_font("Courier", "", _TEXT_PT)
        pdf.cell(0, _LINE_MM, value, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(_GAP)
    _paragraphs(pdf, sheet.words, 0)


def _paragraphs(pdf: "FPDF", words: Sequence[str], width: float) -> None:
    left = pdf.get_x()
    for paragraph in words:
        command = paragraph.startswith("p2pchat ")  # its dashes are no markdown
        pdf.set_font("Courier" if command else "Helvetica", "", _TEXT_PT - 1 if command else _TEXT_PT)
        pdf.set_x(left)
        pdf.multi_cell(width, _LINE_MM, paragraph, align="L", new_x="LEFT", new_y="NEXT", markdown=not command)
        pdf.ln(1.5)


def _codes(pdf: "FPDF", sheet: Sheet) -> None:
    """Two above, the third below on the left, and words beside it."""
    top, left, step = pdf.get_y(), _MARGIN, CODE_MM + _LINE_MM + _GAP
    right = pdf.w - _MARGIN - CODE_MM
    places = ((left, top), (right, top), (left, top + step))
    for (payload, caption), (x, y) in zip(sheet.codes, places, strict=True):
        _code(pdf, on_paper(payload), x, y)
        pdf.set_xy(x, y + CODE_MM - 1)
        pdf.set_font("Courier", "", 8)
        pdf.cell(CODE_MM, _LINE_MM, caption, align="C")
    pdf.set_xy(right, top + step + _GAP)
    _paragraphs(pdf, sheet.beside, CODE_MM)


def _code(pdf: "FPDF", modules: Modules, left: float, top: float) -> None:
    module = CODE_MM / len(modules)
    for x, y, width in runs(modules):
        # A hair higher than it is, so that no white line appears between two rows.
        pdf.rect(left + x * module, top + y * module, width * module, module * 1.02, style="F")


def _typed(pdf: "FPDF", sheet: Sheet) -> None:
    _paragraphs(pdf, [sheet.lines_title], 0)
    pdf.ln(_GAP)
    pdf.set_font("Courier", "", _TYPED_PT)
    room = (pdf.h - pdf.get_y() - _MARGIN) / (len(sheet.lines) + 1)
    height = min(_TYPED_MM, room) if room >= _DENSEST_MM else _TYPED_MM  # on one page, if that can still be read
    for line in sheet.lines:
        pdf.cell(0, height, line, new_x="LMARGIN", new_y="NEXT")
