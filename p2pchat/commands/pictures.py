"""The QR codes in a user's picture: decoded in a short-lived child, which alone meets the picture's bytes."""

import os

from p2pchat.errors import Corrupt
from p2pchat.launch.programs import environ


def read_codes(path: str, picture: bytes) -> list[str]:
    """The texts of its codes. Raises Corrupt where it has none, or is no picture that can be read; Failed."""
    from p2pchat.qr.child import read_codes

    try:
        codes = read_codes(picture, environ(os.environ))
    except Corrupt as error:
        raise Corrupt(f"{path}: {error.message}", hint=error.hint) from error
    if not codes:
        hint = "take the picture nearer, in even light, and one code at a time"
        raise Corrupt(f"{path}: no QR code was found in it", hint=hint)
    return codes
