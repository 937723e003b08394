"""Photographs of a printed backup, spoilt as cameras, light and paper spoil them: how many whole sets are read?

Run: ``python -m benchmarks.photos [--sets N]``. Each set is three codes, each on a photograph of its own: turned, in
perspective, blurred, noisy, unevenly lit, saved as JPEG, at so many pixels a module. The seed makes runs comparable.
Levels as in the project's reference measurements of decoders.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from benchmarks.figures import Figure, at_least
from p2pchat.errors import P2PChatError
from p2pchat.keys.backup.parts import join, split
from p2pchat.launch.programs import environ
from p2pchat.qr.child import read_codes
from p2pchat.qr.draw import MODULE_PX, png

SETS: Final = 12
CONTAINER_BYTES: Final = 1304
SIZES_PX: Final = (5, 8, 10)  # a module
GOAL: Final = 0.95  # of sets, at 8 px under medium damage


@dataclass(frozen=True)
class Damage:
    name: str
    degrees: float  # at most
    perspective: float  # share of the side by which a corner moves at most
    blur_px: float
    noise: int  # standard deviation of 256 levels
    quality: int  # of the JPEG
    shade: float  # how dark the darker side is


LEVELS: Final = (
    Damage("light", 3, 0.02, 0.8, 0, 85, 1.0),
    Damage("medium", 12, 0.06, 1.5, 15, 60, 0.6),
    Damage("heavy", 25, 0.10, 2.3, 28, 35, 0.5),
)


def photograph(page: Image.Image, px: int, damage: Damage, rng: Random) -> bytes:
    """A JPEG of ``page`` (12 or so pixels a module) as a phone might take it."""
    scale = px / MODULE_PX
    sheet = page.convert("L").resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.BICUBIC)
    side = round(max(sheet.size) * 1.5)
    table = Image.new("L", (side, side), 170)
    at = ((side - sheet.width) // 2, (side - sheet.height) // 2)
    table.paste(sheet, at)
    turned = table.rotate(rng.uniform(-damage.degrees, damage.degrees), Image.Resampling.BICUBIC, fillcolor=170)
    corners = [(0, 0), (0, side), (side, side), (side, 0)]
    moved = [(x + _bend(rng, damage, side), y + _bend(rng, damage, side)) for x, y in corners]
    quad = tuple(value for corner in moved for value in corner)
    bent = turned.transform((side, side), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC, fillcolor=170)
    lit = ImageChops.multiply(bent.filter(ImageFilter.GaussianBlur(damage.blur_px)), _light(side, damage, rng))
    noise = Image.effect_noise((side, side), damage.noise).convert("L") if damage.noise else None
    grainy = ImageChops.add(lit, noise, scale=1, offset=-128) if noise else lit
    out = io.BytesIO()
    grainy.save(out, "JPEG", quality=damage.quality)
    return out.getvalue()


def _bend(rng: Random, damage: Damage, side: int) -> float:
    return rng.uniform(-damage.perspective, damage.perspective) * side / 2


def _light(side: int, damage: Damage, rng: Random) -> Image.Image:
    """From bright to ``shade`` across the picture, in some direction."""
    slope = Image.linear_gradient("L").resize((side, side)).point(lambda v: round(255 - v * (1 - damage.shade)))
    return slope.rotate(rng.choice((0, 90, 180, 270)))


def photos(sets: int, *, parity: bool) -> list[Figure]:
    """Shares of whole sets, by level and size."""
    rng, environment = Random(2026), environ(os.environ)
    figures = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for damage in LEVELS:
            for px in SIZES_PX:
                read = sum(_whole(pool, environment, px, damage, rng, parity) for _ in range(sets))
                goal = at_least(GOAL) if (damage.name, px) == ("medium", 8) else None
                what = f"{damage.name} damage, {px} px a module{', any two of three' if parity else ''}: whole sets"
                note = f"{sets} sets of three photographs"
                figures.append(Figure("QR", what, "", (read / sets,), None, goal, note))
    return figures


def _whole(
    pool: ThreadPoolExecutor, environment: dict[str, str], px: int, damage: Damage, rng: Random, parity: bool
) -> bool:
    container = rng.randbytes(CONTAINER_BYTES)
    taken = [photograph(page, px, damage, rng) for page in _pages(container, parity)]
    codes = [code for found in pool.map(lambda photo: _read(photo, environment), taken) for code in found]
    try:
        return join(codes) == container
    except P2PChatError:
        return False


def _pages(container: bytes, parity: bool) -> Iterator[Image.Image]:
    for number, part in enumerate(split(container, parity=parity), 1):
        yield Image.open(io.BytesIO(png(part, f"p2pchat backup, part {number} of 3")))


def _read(photo: bytes, environment: dict[str, str]) -> list[str]:
    try:
        return read_codes(photo, environment)
    except P2PChatError:
        return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--show", metavar="FILE", help="write one photograph of medium damage at 8 px there")
    options = parser.parse_args()
    if options.show:
        rng = Random(1)
        page = next(_pages(rng.randbytes(CONTAINER_BYTES), parity=False))
        with Path(options.show).open("wb") as file:
            file.write(photograph(page, 8, LEVELS[1], rng))
        return 0
    from benchmarks.table import table

    print(table([*photos(options.sets, parity=False), *photos(options.sets, parity=True)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
