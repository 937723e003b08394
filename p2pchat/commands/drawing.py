"""Draw a QR code where the user wants it: on the terminal, or into a picture by the ending of its name."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from p2pchat.commands.frame import Settings
from p2pchat.commands.output import coloured
from p2pchat.commands.user_files import write_file
from p2pchat.errors import Usage

_ENDINGS: Final = (".png", ".svg")


def draw_code(settings: Settings, payload: str, caption: str, out: str | None) -> str | None:
    """The file that was written; None where the code went to the terminal. Raises Usage, Exists, NotFound, Failed."""
    from p2pchat.qr import draw

    if out is None or out == "-":
        drawn = draw.terminal(payload, colours=coloured(settings, sys.stdout))
        sys.stdout.write(f"{drawn}\n{caption}\n")
        return None
    draws: Mapping[str, Callable[[str, str], bytes]] = dict(zip(_ENDINGS, (draw.png, draw.svg), strict=True))
    ending = next((ending for ending in _ENDINGS if out.lower().endswith(ending)), None)
    if ending is None:
        raise Usage(f"a picture's name ends in {' or '.join(_ENDINGS)}, not as {out!r}", hint="--out me.png")
    write_file(out, draws[ending](payload, caption))  # never over another picture: all PNGs begin alike
    return out
