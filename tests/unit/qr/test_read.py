"""A picture is read by a child that has given up all else; nothing in a picture does more than end that child."""

import io
import os
import sys
import zlib
from functools import cache
from hashlib import shake_256
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageChops, ImageFilter

from p2pchat.errors import Corrupt
from p2pchat.keys.backup.parts import join, split
from p2pchat.launch.programs import environ
from p2pchat.limits import PICTURE_BYTES
from p2pchat.qr import child, read
from p2pchat.qr.child import read_codes
from p2pchat.qr.draw import png
from tests.unit.test_picture import png as png_of_size

CONTAINER = shake_256(b"container").digest(1304)


@cache
def codes(*texts: str) -> Image.Image:
    """Side by side on one picture."""
    drawn = [Image.open(io.BytesIO(png(text))).convert("L") for text in texts]
    whole = Image.new("L", (sum(one.width for one in drawn), max(one.height for one in drawn)), 255)
    at = 0
    for one in drawn:
        whole.paste(one, (at, 0))
        at += one.width
    return whole


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def seen(data: bytes) -> list[str]:
    return read_codes(data, environ(os.environ))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_three_parts_in_one_picture_are_read_whichever_way_it_lies(turn: int) -> None:
    picture = codes(*split(CONTAINER)).resize((1650, 565)).rotate(turn, expand=True)
    assert join(seen(saved(picture))) == CONTAINER


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_colours_and_transparency_do_not_matter(mode: str) -> None:
    picture = codes("HELLO").convert("RGBA")
    picture.putalpha(picture.convert("L").point(lambda light: 255 - light))  # black ink on nothing
    source = picture if mode in {"LA", "RGBA"} else codes("HELLO")
    assert seen(saved(source.convert(mode))) == ["HELLO"]


def test_H066_a_code_of_somebody_else_is_read_as_what_it_is() -> None:
    with pytest.raises(Corrupt, match="no p2pchat code"):
        join(seen(saved(codes("https://example.org/"))))


def test_H067_what_would_unpack_too_large_is_never_unpacked() -> None:
    for data in (
        png_of_size(20_000, 20_000),
        png_of_size(4097, 10),
        b"GIF89a" + bytes(1000),
        saved(codes("HELLO"), "GIF", save_all=True, append_images=[codes("HELLO")] * 50),
        saved(codes("HELLO"), "TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"",
        b"%PDF-1.7" + saved(codes("HELLO")),
    ):
        with pytest.raises(Corrupt):
            seen(data)
    with pytest.raises(Corrupt, match="16 MiB"):
        read.codes(bytes(PICTURE_BYTES + 1))


def test_H067_a_header_that_lies_ends_in_a_sentence() -> None:
    whole = saved(codes("HELLO"))
    bomb = zlib.compress(bytes(200_000_000), 9)
    chunk = len(bomb).to_bytes(4) + b"IDAT" + bomb + zlib.crc32(b"IDAT" + bomb).to_bytes(4)
    for data in (whole[: len(whole) // 2], whole[:60], whole[:33] + chunk, whole[:33] + b"\xff" * 5000):
        try:
            assert seen(data) == []
        except Corrupt as error:
            assert "damaged" in error.message or "fail" in error.message


def test_H067_a_photo_that_was_taken_sideways_is_read() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = codes("HELLO").resize((500, 500)).rotate(90)
    assert seen(saved(picture, "JPEG", quality=60, exif=exif)) == ["HELLO"]


def test_H067_exif_data_that_are_none_do_no_harm() -> None:
    assert seen(saved(codes("HELLO"), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")) == ["HELLO"]


def test_H067_a_second_header_is_not_believed() -> None:
    whole = saved(codes("HELLO").convert("L"))
    header = whole[8:33]
    for width in (20_000, 4096, 1):
        fields = header[4:8] + width.to_bytes(4) + header[12:21]
        other = header[:4] + fields + zlib.crc32(fields).to_bytes(4)
        with pytest.raises(Corrupt, match="damaged"):
            seen(whole[:33] + other + whole[33:])


def test_a_phone_s_jpeg_with_a_second_picture_in_it() -> None:
    assert seen(saved(codes("HELLO"), "MPO", save_all=True, append_images=[codes("HELLO").reduce(4)])) == ["HELLO"]


def test_a_noisy_photo_out_of_focus_is_read() -> None:
    """As benchmarks/photos.py has it: noise that only a copy with a little more blur is free of."""
    part, rng = split(CONTAINER)[0], Random(3)
    page = codes(part).resize((8 * codes(part).width // 10,) * 2, Image.Resampling.BOX)
    page = page.point([40 + 185 * light // 255 for light in range(256)])
    noise = Image.frombytes("L", page.size, rng.randbytes(page.width * page.height))
    noise = noise.point([round(128 + 0.4 * (light - 128)) for light in range(256)])  # standard deviation 30
    spoilt = ImageChops.add(page.filter(ImageFilter.GaussianBlur(3.2)), noise, 1, -128)
    assert seen(saved(spoilt, "JPEG", quality=35)) == [part]


def test_H068_of_many_codes_the_first_eight_count() -> None:
    texts = [f"CODE {number}" for number in range(12)]
    found = seen(saved(codes(*texts).resize((12 * 120, 120))))
    assert len(found) == read.MOST_CODES and set(found) <= set(texts)


def test_the_largest_picture_that_is_taken_is_read_within_the_limits() -> None:
    picture = Image.new("RGB", (4096, 4096), "white")
    picture.paste(codes("HELLO").convert("RGB"), (3000, 3000))
    assert seen(saved(picture, "JPEG", quality=80)) == ["HELLO"]


def test_a_child_that_dies_or_hangs_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    crash = tmp_path / "crash"
    crash.write_text("#!/bin/sh\nkill -9 $$\n")
    crash.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(crash))
    with pytest.raises(Corrupt, match="made its reader fail"):
        seen(b"")
    for lie in (
        "exit 3",
        "echo nonsense",
        "echo {}",
        "echo '[]'",
        """echo '{"codes": 7}'""",
        """echo '{"error": 1}'""",
    ):
        crash.write_text(f"#!/bin/sh\ncat > /dev/null\n{lie}\n")
        with pytest.raises(Corrupt, match="made its reader fail"):
            seen(b"")
    crash.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(child, "ANSWER_S", 0.2)
    with pytest.raises(Corrupt, match="took too long"):
        seen(b"")


def test_the_child_learns_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "spy"
    spy.write_text(
        f"#!{sys.executable}\nimport json, os\nprint(json.dumps({{'codes': sorted(os.environ), 'files': []}}))\n"
    )
    spy.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(spy))
    names = read_codes(b"", {"PYTHONPATH": "/there", "P2PCHAT_CANARY": "secret", "HOME": "/root", "PATH": "/bin"})
    assert set(names) <= {"PYTHONPATH", "LC_CTYPE"}  # Python itself sets the second


@pytest.mark.skipif(not read.second_opinion_installed(), reason="pyzbar or libzbar is not installed here")
def test_the_second_opinion_reads_alone() -> None:
    library = read._import_zbar()
    assert list(read._zbar(library, codes("HELLO"))) == ["HELLO"]
