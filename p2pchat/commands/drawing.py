"""Draw a QR code where the user wants it: on the terminal, or into a picture by the ending of its name."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from p2pchat.commands.user_files import write_file
from p2pchat.errors import Usage

_ENDINGS: Final = (".png", ".svg")


def draw_code(payload: str, caption: str, out: str | None) -> str | None:
    """The file that was written; None where the code went to the terminal. Raises Usage, Exists, NotFound, Failed."""
    from p2pchat.qr import draw

    if out is None or out == "-":
        sys.stdout.write(f"{draw.terminal(payload)}\n{caption}\n")
        return None
    draws: Mapping[str, Callable[[str, str], bytes]] = dict(zip(_ENDINGS, (draw.png, draw.svg), strict=True))
    ending = next((ending for ending in _ENDINGS if out.lower().endswith(ending)), None)
    if ending is None:
        raise Usage(f"a picture's name ends in {' or '.join(_ENDINGS)}, not as {out!r}", hint="--out me.png")
    picture = draws[ending](payload, caption)
    write_file(out, picture, ours=picture[:8])
    return out
