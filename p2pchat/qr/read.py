"""The texts of the QR codes in one picture: ``python -m p2pchat.qr.read``, a child that lives for one picture.

The picture's bytes come on stdin; one JSON object goes to stdout: ``{"codes": [...]}``, or ``{"error": {...}}``.
Decoders of pictures are where crafted bytes do harm, so nothing else meets them: the header is judged first by
``picture``, then the process gives up all memory, time and files that it will not need, and only then a library looks
at a pixel.
"""

import io
import json
import os
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Final

from p2pchat.errors import Corrupt, Failed, P2PChatError
from p2pchat.hardening import refuse_dumps
from p2pchat.picture import PIXELS, picture_size

PICTURE_BYTES: Final = 16 * 1024 * 1024
MOST_CODES: Final = 8
MOST_CHARS: Final = 4296  # of a code in alphanumeric mode; one in byte mode holds fewer
MEMORY_BYTES: Final = 320 * 1024 * 1024  # beside what the libraries have mapped; 4096 x 4096 in colour takes 200 MiB
PROCESSOR_S: Final = 8  # 4096 x 4096 full of noise takes 3 s
_SMALL: Final = 1600  # pixels a side below which an enlarged copy may show more


def main() -> int:
    refuse_dumps()
    data = sys.stdin.buffer.read(PICTURE_BYTES + 1)
    try:
        answer: dict[str, object] = {"codes": codes(data)}
    except P2PChatError as error:
        answer = {"error": error.as_json()}
    except MemoryError:
        answer = {"error": Corrupt("the picture takes too much memory", hint="use a smaller picture").as_json()}
    sys.stdout.write(json.dumps(answer))
    return 0


def codes(data: bytes, *, second_opinion: bool = True) -> list[str]:
    """At most eight texts, each once. Raises Corrupt for what is no picture that may be read, Failed without libraries.

    ``second_opinion``: ask zbar, too, where it is installed.
    """
    if len(data) > PICTURE_BYTES:
        raise Corrupt("a picture has at most 16 MiB", hint="use a smaller picture")
    try:
        picture_size(data)
    except P2PChatError as error:
        raise Corrupt(error.message, hint="use a PNG or JPEG of the code") from error
    zxing, zbar = _libraries(second_opinion)
    _give_up_the_rest()
    found: dict[str, None] = {}
    for picture in _views(data):
        before = len(found)
        for text in (*_zxing(zxing, picture), *_zbar(zbar, picture)):
            if len(text) <= MOST_CHARS and len(found) < MOST_CODES:
                found.setdefault(text)
        if found and len(found) == before:  # another view of it brought nothing new
            break
    return list(found)


def second_opinion_installed() -> bool:
    """Whether zbar can be asked: its Python side is installed, and so is its system library."""
    return _import_zbar() is not None


def _libraries(second_opinion: bool) -> tuple[Any, Any]:
    try:
        import PIL.Image
        import PIL.ImageFilter
        import PIL.ImageOps
        import PIL.TiffImagePlugin  # holds EXIF, which tells how the camera was held
        import zxingcpp

        PIL.Image.preinit()  # all that decoding loads is loaded before files are given up
    except ImportError as error:
        raise Failed(
            f"reading pictures takes a library that is missing ({error.name})", hint="p2pchat doctor"
        ) from error
    return zxingcpp, _import_zbar() if second_opinion else None


def _import_zbar() -> Any:
    try:
        from pyzbar import pyzbar  # type: ignore[import-untyped]
    except ImportError:  # also where libzbar is not installed
        return None
    return pyzbar


def _give_up_the_rest() -> None:
    """Best effort, like ``hardening``: a system without one of the limits keeps the others."""
    mapped = _mapped_bytes() + MEMORY_BYTES
    limits = {"RLIMIT_AS": mapped, "RLIMIT_CPU": PROCESSOR_S, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 3, "RLIMIT_NPROC": 0}
    for name, limit in limits.items():
        try:
            resource.setrlimit(getattr(resource, name), (limit, limit))
        except (OSError, ValueError, AttributeError):
            continue


def _mapped_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - no path of a user's
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 1 << 31


def _views(data: bytes) -> Iterator[Any]:
    """The picture in grey, upright, then copies of it that bring out what a bad photo hides. Raises Corrupt."""
    from PIL import Image, ImageFilter, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS * PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as opened:
            opened.draft("L", None)  # a JPEG's colours are not even unpacked
            picture = ImageOps.exif_transpose(_on_white(opened))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Corrupt("the picture is damaged", hint="use another picture of the code") from error
    yield picture
    even = ImageOps.autocontrast(picture, cutoff=2)
    yield even
    if max(picture.size) <= _SMALL:
        larger = even.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
        yield larger
        yield larger.filter(ImageFilter.UnsharpMask(radius=4, percent=200, threshold=2))
    else:
        yield even.filter(ImageFilter.MedianFilter(3))
        yield even.filter(ImageFilter.UnsharpMask(radius=3, percent=200, threshold=2))


def _on_white(opened: Any) -> Any:
    if opened.mode in {"RGBA", "LA", "PA"} or "transparency" in opened.info:
        from PIL import Image

        coloured = opened.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        white.alpha_composite(coloured)
        return white.convert("L")
    return opened.convert("L")


def _zxing(library: Any, picture: Any) -> Iterator[str]:
    for code in library.read_barcodes(picture, formats=library.BarcodeFormat.QRCode):
        if code.valid:
            yield code.text


def _zbar(library: Any, picture: Any) -> Iterator[str]:
    if library is None:
        return
    for code in library.decode(picture, symbols=[library.ZBarSymbol.QRCODE]):
        yield code.data.decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
