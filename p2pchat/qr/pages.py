"""The pages of a PDF as pictures, and the files that are in it. Only the short-lived child (``read``) calls this."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from p2pchat.errors import Corrupt, Failed
from p2pchat.limits import BACKUP_BYTES

MOST_PAGES: Final = 8
MOST_FILES: Final = 4
_DOTS: Final = 200 / 72  # pixels a point: 200 dots an inch
_SIDE_PX: Final = 4096


def library() -> Any:
    """PDFium, which Chromium draws PDFs with. Raises Failed where it is missing."""
    try:
        import pypdfium2  # type: ignore[import-untyped]
    except ImportError as error:
        raise Failed("reading a PDF takes the extra 'paper'", hint="pip install 'p2pchat[paper]'") from error
    return pypdfium2


def unfold(pdfium: Any, data: bytes) -> tuple[Iterator[Any], list[bytes]]:
    """The first pages, in grey, one after the other, and the small files inside. Raises Corrupt."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise Corrupt("the PDF is damaged, or wants a password of its own", hint="use another copy of it") from error
    return _pages(pdfium, document), list(_files(pdfium, document))


def _pages(pdfium: Any, document: Any) -> Iterator[Any]:
    for number in range(min(len(document), MOST_PAGES)):
        with contextlib.suppress(pdfium.PdfiumError):  # the other pages may do
            page = document[number]
            scale = min(_DOTS, _SIDE_PX / max(1.0, *page.get_size()))
            yield page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil().convert("L")


def _files(pdfium: Any, document: Any) -> Iterator[bytes]:
    for number in range(min(document.count_attachments(), MOST_FILES)):
        with contextlib.suppress(pdfium.PdfiumError):
            content = bytes(document.get_attachment(number).get_data())
            if len(content) <= BACKUP_BYTES:
                yield content
