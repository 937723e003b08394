"""Ask a child of our own for the codes in a picture, and bear whatever becomes of it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from p2pchat.errors import Corrupt, Failed, from_json

ANSWER_S: Final = 20.0
_SPOILT: Final = "use a PNG or JPEG of the code"


def read_codes(picture: bytes, environ: Mapping[str, str]) -> list[str]:
    """The texts of its QR codes, at most eight. ``environ`` must let Python find this package.

    Raises Corrupt for a picture that cannot be read or makes its reader fail, Failed where a library is missing.
    """
    command = [sys.executable, "-P", "-m", "p2pchat.qr.read"]
    try:
        done = subprocess.run(command, input=picture, capture_output=True, env=environ, timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Corrupt("reading the picture took too long", hint=_SPOILT) from error
    except OSError as error:
        raise Failed(f"cannot start the reader of pictures: {error.strerror}", hint="p2pchat doctor") from error
    if done.returncode != 0:
        raise Corrupt("the picture made its reader fail, and was given up", hint=_SPOILT)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise from_json(answer["error"])
    return [str(code) for code in answer["codes"]]
