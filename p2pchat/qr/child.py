"""Ask a child of our own for the codes in a picture, and bear whatever becomes of it."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from p2pchat.errors import Corrupt, Failed, from_json

ANSWER_S: Final = 20.0
_SPOILT: Final = "use a PNG or JPEG of the code"
# Of the environment, what finds modules and shared libraries. The reader of foreign bytes gets nothing to tell.
_PASSED: Final = ("PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")


def read_codes(picture: bytes, environ: Mapping[str, str]) -> list[str]:
    """The texts of its QR codes, at most eight. ``environ`` must let Python find this package.

    Raises Corrupt for a picture that cannot be read or makes its reader fail, Failed where a library is missing.
    """
    return _ask(picture, environ, "picture")[0]


def read_sheet(pdf: bytes, environ: Mapping[str, str]) -> tuple[list[str], list[bytes]]:
    """The texts of the codes on its pages, and the files inside of it. Otherwise as ``read_codes``."""
    return _ask(pdf, environ, "PDF")


def _ask(data: bytes, environ: Mapping[str, str], kind: str) -> tuple[list[str], list[bytes]]:
    passed = {name: environ[name] for name in _PASSED if name in environ}
    command = [sys.executable, "-P", "-m", "p2pchat.qr.read"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, env=passed, timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Corrupt(f"reading the {kind} took too long", hint=_SPOILT) from error
    except OSError as error:
        raise Failed(f"cannot start the reader of pictures: {error.strerror}", hint="p2pchat doctor") from error
    try:
        answer = json.loads(done.stdout if done.returncode == 0 else b"")
        if "error" not in answer:
            return [str(code) for code in answer["codes"]], [base64.b64decode(file) for file in answer["files"]]
        told = from_json(answer["error"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # killed, or whatever the picture made of it
        raise Corrupt(f"the {kind} made its reader fail, and was given up", hint=_SPOILT) from error
    raise told
