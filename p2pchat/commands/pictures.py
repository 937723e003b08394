"""The QR codes in a user's picture or PDF: decoded in a short-lived child, which alone meets its bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from p2pchat.errors import Corrupt
from p2pchat.launch.programs import environ

_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def is_picture(data: bytes) -> bool:
    return data.startswith(_PICTURES)


def read_codes(path: str, picture: bytes) -> list[str]:
    """The texts of its codes. Raises Corrupt where it has none, or is no picture that can be read; Failed."""
    from p2pchat.qr.child import read_codes

    with _named(path):
        codes = read_codes(picture, environ(os.environ))
    if not codes:
        hint = "take the picture nearer, in even light, and one code at a time"
        raise Corrupt(f"{path}: no QR code was found in it", hint=hint)
    return codes


def read_sheet(path: str, pdf: bytes) -> tuple[list[str], list[bytes]]:
    """The texts of the codes on a PDF's pages, and the files in it. Raises as ``read_codes``."""
    from p2pchat.qr.child import read_sheet

    with _named(path):
        codes, files = read_sheet(pdf, environ(os.environ))
    if not codes:
        raise Corrupt(f"{path}: no QR code was found on its pages", hint="p2pchat key inspect --help")
    return codes, files


@contextmanager
def _named(path: str) -> Iterator[None]:
    """What is wrong with a file names the file."""
    try:
        yield
    except Corrupt as error:
        raise Corrupt(f"{path}: {error.message}", hint=error.hint) from error
