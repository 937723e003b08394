"""The texts of the QR codes in one picture or PDF: ``python -m p2pchat.qr.read``, a child that lives for one of them.

Its bytes come on stdin; one JSON object goes to stdout: ``{"codes": [...], "files": [...]}``, the files that are in a
PDF in base 64, or ``{"error": {...}}``.
Decoders of pictures are where crafted bytes do harm, so nothing else meets them: the header is judged first by
``picture``, then the process gives up all memory, time and files that it will not need (also those of modules: all are
imported before), and only then a library looks at a pixel.
"""

import base64
import io
import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any, Final

from p2pchat.errors import Corrupt, Failed, P2PChatError
from p2pchat.hardening import refuse_dumps
from p2pchat.limits import PICTURE_BYTES, QR_CHARS
from p2pchat.picture import picture_size
from p2pchat.qr import pages

PDF: Final = b"%PDF-"
MOST_CODES: Final = 8
MEMORY_BYTES: Final = 224 * 1024 * 1024  # beside what the libraries have mapped; 4096 x 4096 takes 96 to 176 MiB
PROCESSOR_S: Final = 8  # 4096 x 4096 full of noise takes 1.1 s, and with zbar 2.7 s
_SMALL: Final = 1600  # pixels a side below which an enlarged copy may show more


def main() -> int:
    refuse_dumps()
    answer: dict[str, object]
    data = sys.stdin.buffer.read(PICTURE_BYTES + 1)
    try:
        answer = sheet(data) if data.startswith(PDF) else {"codes": codes(data), "files": []}
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
        size = picture_size(data)
    except P2PChatError as error:
        raise Corrupt(error.message, hint=error.hint or "use a PNG or JPEG of the code") from error
    zxing, zbar = _libraries(second_opinion)
    _give_up_the_rest()
    found: dict[str, None] = {}
    for picture in _views(data, size):
        before = len(found)
        _look(picture, zxing, zbar, found)
        if found and len(found) == before:  # another view of it brought nothing new
            break
    return list(found)


def sheet(data: bytes) -> dict[str, object]:
    """What a PDF holds: the codes as its pages show them when they are drawn, and its files. Raises as ``codes``."""
    if len(data) > PICTURE_BYTES:
        raise Corrupt("a PDF of a backup has at most 16 MiB", hint="use another copy of it")
    pdfium = pages.library()
    zxing, zbar = _libraries(second_opinion=False)
    _give_up_the_rest()
    drawn, files = pages.unfold(pdfium, data)
    found: dict[str, None] = {}
    for page in drawn:
        _look(page, zxing, zbar, found)
    return {"codes": list(found), "files": [base64.b64encode(file).decode() for file in files]}


def _look(picture: Any, zxing: Any, zbar: Any, found: dict[str, None]) -> None:
    for text in (*_zxing(zxing, picture), *_zbar(zbar, picture)):
        if len(text) <= QR_CHARS and len(found) < MOST_CODES:
            found.setdefault(text)


def second_opinion_installed() -> bool:
    """Whether zbar can be asked: its Python side is installed, and so is its system library."""
    return _import_zbar() is not None


def _libraries(second_opinion: bool) -> tuple[Any, Any]:
    try:
        import PIL.Image
        import PIL.ImageFilter
        import PIL.JpegImagePlugin
        import PIL.PngImagePlugin
        import PIL.TiffImagePlugin  # noqa: F401 - EXIF data are written like a TIFF; all are loaded for what follows
        import zxingcpp
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


def _views(data: bytes, size: tuple[int, int]) -> Iterator[Any]:
    """The picture in grey, then copies of it that bring out what a bad photo hides. Raises Corrupt.

    ``size`` is what the header was judged by: a second header with another one is not believed. A photo is not turned
    upright as its EXIF data say, since both libraries read codes that are turned or mirrored.
    """
    from PIL import Image, ImageFilter
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    # Not Image.open: it loads more formats, and takes a phone's JPEG with a second picture in it for one of them (MPO).
    kind = JpegImageFile if data.startswith(b"\xff\xd8") else PngImageFile
    damaged = Corrupt("the picture is damaged", hint="use another picture of the code")
    try:
        with kind(io.BytesIO(data)) as opened:
            opened.draft("L", None)  # a JPEG's colours are not even unpacked
            picture = _on_white(opened) if opened.size == size else None
    except (OSError, ValueError, SyntaxError) as error:
        raise damaged from error
    if picture is None:
        raise damaged
    yield picture
    # Binarisers look at few pixels at a time: noise hurts them more than a little more blur (benchmarks/photos.py).
    yield picture.filter(ImageFilter.GaussianBlur(1.5))
    if max(picture.size) <= _SMALL:
        larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
        yield larger.filter(ImageFilter.GaussianBlur(2)).filter(ImageFilter.UnsharpMask(10, 300, 0))
    else:
        yield picture.filter(ImageFilter.GaussianBlur(3))


def _on_white(opened: Any) -> Any:
    """In grey. No second copy in colour: 4096 x 4096 are 64 MiB each."""
    if opened.mode not in {"RGBA", "LA", "PA"} and "transparency" not in opened.info:
        return opened.convert("L")
    from PIL import Image

    coloured = opened if opened.mode == "RGBA" else opened.convert("RGBA")
    white = Image.new("L", coloured.size, 255)
    white.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
    return white


def _zxing(library: Any, picture: Any) -> Iterator[str]:
    for code in library.read_barcodes(picture, formats=library.BarcodeFormat.QRCode, text_mode=library.TextMode.Plain):
        if code.valid:
            yield code.text


def _zbar(library: Any, picture: Any) -> Iterator[str]:
    if library is None:
        return
    for code in library.decode(picture, symbols=[library.ZBarSymbol.QRCODE]):
        yield code.data.decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
