"""What is drawn is read back by a decoder that shares nothing with it, and keeps its quiet zone."""

import io
import re
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image

from p2pchat.errors import Failed
from p2pchat.qr.draw import MODULE_PX, QUIET, columns, png, svg, terminal

TEXT = "P2PB" + "ABCDEFGH234567" * 50


def read(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("L")


def from_rows(rows: list[list[bool]], scale: int = 4) -> Image.Image:
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([0 if dark else 255 for row in rows for dark in row])
    return image.resize((image.width * scale, image.height * scale))


def test_a_png_is_read_back_and_has_room_for_a_caption() -> None:
    plain, captioned = picture(png(TEXT)), picture(png(TEXT, "part 1 of 3"))
    assert read(plain) == read(captioned) == [TEXT]
    assert plain.width == plain.height == captioned.width < captioned.height
    edge = plain.crop((0, 0, QUIET * MODULE_PX, plain.height))
    assert edge.getextrema() == (255, 255)


def test_an_svg_holds_the_same_modules() -> None:
    root = ElementTree.fromstring(svg(TEXT, "a < b & c"))
    side = int(root.attrib["viewBox"].split()[2])
    rows = [[False] * side for _ in range(side)]
    (path,) = (element.attrib["d"] for element in root.iter() if element.tag.endswith("path"))
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for at in range(int(x), int(x) + int(run)):
            rows[int(y)][at] = True
    assert read(from_rows(rows)) == [TEXT]
    assert "a < b & c" in [element.text for element in root.iter()]


def test_a_terminal_shows_it_in_its_own_colours() -> None:
    lines = terminal(TEXT).split("\n")
    assert all(line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m") for line in lines)
    cells = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert {len(line) for line in cells} == {columns(TEXT)} == {85}
    rows = [[cell in halves for cell in line] for line in cells for halves in ("█▀", "█▄")]
    assert read(from_rows(rows)) == [TEXT]


def test_without_colours_what_is_light_is_drawn() -> None:
    lines = terminal(TEXT, colours=False).split("\n")
    assert "\x1b" not in "".join(lines)
    rows = [[cell not in halves for cell in line] for line in lines for halves in ("█▀", "█▄")]
    assert read(from_rows(rows)) == [TEXT]


def test_more_than_a_code_holds_is_refused() -> None:
    with pytest.raises(Failed, match="too long"):
        png("A" * 4297)
