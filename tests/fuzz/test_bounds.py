"""A mebibyte of anything costs a parser no more than 50 ms of processor time and a few times the input's memory.

Time is this thread's processor time, the best of three tries, and scaled by how fast this machine runs a fixed piece of
Python; so other processes' load does not count. Memory is what Python allocates beyond the input (tracemalloc).
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import pytest

from tests.fuzz.target import Target, refuses_or_takes
from tests.fuzz.targets import TARGETS

MIB: Final = 1024 * 1024
MEMORY_FIXED: Final = MIB
TRIES: Final = 3
REFERENCE_S: Final = 0.005  # what ``_reference`` takes on the machine on which the bound was set

SHAPES: Final[dict[str, bytes]] = {
    "zeros": b"\0",
    "ones": b"\xff",
    "nil": b"\xc0",
    "empty arrays": b"\x90",
    "nested arrays": b"\x91",
    "long arrays": b"\xdc\xff\xff",
    "huge arrays": b"\xdd\xff\xff\xff\xff",
    "huge bytes": b"\xc6\xff\xff\xff\xff",
    "short texts": b"\xa1a",
    "lists": b"[",
    "many lists": b"[],",
    "objects": b'{"a":',
    "many objects": b"{},",
    "digits": b"7",
    "escapes": b"\\u0041",
    "half characters": b"\\ud800",
    "quotes": b'"',
    "backslashes": b"\\",
    "blanks": b" ",
    "lines": b"\n",
    "quoting": b"> ",
    "dots": b"a.",
    "dashes": b"-----BEGIN P2PCHAT CARD-----\n",
    "base64": b"QUJD\n",
    "head lines": b"a: b\r\n",
    "requests": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "pings": b"\x89\x00",
    "combining marks": "\u0301".encode(),
}
AROUND_BYTES: Final = {"bare": (b"", b""), "an array of 4000": (b"\xdc\x0f\xa0", b"")}
AROUND_TEXT: Final = {
    "bare": (b"", b""),
    "a JSON list": (b"[", b"0]"),
    "a JSON text": (b'"', b'"'),
    "a TOML key": (b"", b"a = 1"),
    "a TOML value": (b"a = [", b"]"),
    "a card": (b"-----BEGIN P2PCHAT CARD-----\n", b"\n-----END P2PCHAT CARD-----\n"),
}


def hostile(target: Target) -> Iterator[tuple[str, bytes]]:
    """Inputs by name, of the size that the parser takes and of one MiB: every shape in every frame, and good input."""
    for size in sorted({min(target.limit, target.once), target.once}):
        for frame, (before, behind) in (AROUND_TEXT if target.text else AROUND_BYTES).items():
            for shape, piece in SHAPES.items():
                inside = filled(piece, size - len(before + behind))
                yield f"{size} bytes of {shape} in {frame}", before + inside + behind
        yield from ((f"kept {number}", kept) for number, kept in enumerate(target.kept()))
        for number, seed in enumerate(target.seeds()):
            yield f"{size} bytes of seed {number} repeated", filled(seed or b"\0", size)
            yield f"{size} bytes of seed {number} drawn out", seed.ljust(size, b"\0")


def filled(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def _reference() -> None:
    seen: dict[int, list[int]] = {}
    for n in range(60_000):
        seen.setdefault(n % 1000, []).append(n)


def cpu_s(act: Callable[[], object]) -> float:
    began_s = time.thread_time()
    act()
    return time.thread_time() - began_s


@cache
def slowness() -> float:
    """How much slower than the machine of ``REFERENCE_S`` this one is; never below 1."""
    return max(1.0, min(cpu_s(_reference) for _ in range(5)) / REFERENCE_S)


@pytest.mark.parametrize("name", TARGETS)
def test_a_mebibyte_is_read_or_refused_in_time(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds():
        refuses_or_takes(target, seed)  # what is made once is not the input's fault
    bound_s = target.cpu_s * slowness()
    for shape, data in hostile(target):
        taken_s = min_of_tries(target, data, bound_s)
        assert taken_s <= bound_s, f"{shape}: {taken_s * 1000:.0f} ms"


def min_of_tries(target: Target, data: bytes, bound_s: float) -> float:
    """The shortest of at most three tries; one within the bound is enough."""
    taken_s = float("inf")
    for _ in range(TRIES):
        taken_s = min(taken_s, cpu_s(lambda: refuses_or_takes(target, data)))
        if taken_s <= bound_s:
            break
    return taken_s


@pytest.mark.parametrize("name", TARGETS)
def test_a_mebibyte_takes_no_more_than_a_few_times_its_memory(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds():
        refuses_or_takes(target, seed)
    for shape, data in hostile(target):
        peak = peak_bytes(target, data)
        assert peak <= MEMORY_FIXED + target.memory * len(data), f"{shape}: {peak / MIB:.1f} MiB"


def peak_bytes(target: Target, data: bytes) -> int:
    tracemalloc.start()
    try:
        refuses_or_takes(target, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
