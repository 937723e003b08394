"""The sheet: what is printed is read back from its drawn pages, and the words stand where a finder looks."""

import io
import os
from hashlib import shake_256

import pypdfium2  # type: ignore[import-untyped]
import pytest

from p2pchat.commands.backup_write import Copy, Look
from p2pchat.commands.carriers import CARRIERS
from p2pchat.errors import Corrupt
from p2pchat.keys.backup.parts import join
from p2pchat.keys.backup.text import Read, from_text
from p2pchat.launch.programs import environ
from p2pchat.limits import PICTURE_BYTES
from p2pchat.qr import read
from p2pchat.qr.child import read_sheet
from p2pchat.qr.pages import MOST_FILES, MOST_PAGES

CONTAINER, FULLER = shake_256(b"container").digest(1304), shake_256(b"fuller").digest(3500)
COPY = Copy(id="pc1" + "q" * 58, set="01234567", container=CONTAINER, fuller=FULLER, opens_with="the password")
LOOKS = [Look(paper=paper, parity=parity) for paper in ("a4", "letter") for parity in (False, True)]


def drawn(look: Look) -> bytes:
    (pdf,) = CARRIERS["pdf"].make(COPY, look)
    return pdf


def seen(pdf: bytes) -> tuple[list[str], list[bytes]]:
    return read_sheet(pdf, environ(os.environ))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_what_is_printed_is_read_back(look: Look) -> None:
    pdf = drawn(look)
    codes, files = seen(pdf)
    assert (join(codes), files) == (CONTAINER, [FULLER])
    document = pypdfium2.PdfDocument(pdf)
    first, second = (page.get_textpage().get_text_bounded() for page in document)
    assert from_text(second) == Read(CONTAINER, ())
    assert COPY.id in first and "please give it back" in first and "p2pchat login --qr" in first


def test_H067_a_pdf_is_opened_within_bounds() -> None:
    huge = pypdfium2.PdfDocument.new()
    huge.new_page(1_000_000, 1_000_000)
    for _ in range(20):
        huge.new_page(200, 200)
    for number in range(20):
        huge.new_attachment(str(number)).set_data(bytes(10 if number else 1_000_000))
    saved = io.BytesIO()
    huge.save(saved)
    codes, files = seen(saved.getvalue())
    assert codes == [] and len(files) < MOST_FILES < MOST_PAGES
    for spoilt in (b"%PDF-1.7\n" + bytes(1000), drawn(LOOKS[0])[:2000], b"%PDF-"):
        with pytest.raises(Corrupt):
            seen(spoilt)
    with pytest.raises(Corrupt, match="16 MiB"):
        read.sheet(bytes(PICTURE_BYTES + 1))
