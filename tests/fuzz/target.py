"""What a fuzzer needs to know of a parser: how to feed it, and what good input looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from p2pchat.errors import P2PChatError
from p2pchat.limits import FRAME_BODY_BYTES

CORPUS: Final = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. ``read`` gets any bytes at all and may raise nothing but P2PChatError.

    Where a parser stands behind encryption or a signature, ``read`` plays the authenticated peer who means ill: it
    seals or signs the bytes first, so that they reach what lies behind.
    """

    name: str
    read: Callable[[bytes], object]
    make_seeds: Callable[[], tuple[bytes, ...]]
    limit: int = FRAME_BODY_BYTES  # the largest input that it may take
    once: int = 1024 * 1024  # the most that can come at once: 1 MiB, or what one read of a stream brings
    cpu_s: float = 0.050  # processor time on the machine of test_bounds.REFERENCE_S
    memory: float = 8.0  # times the input: what reading it may allocate
    text: bool = False  # whether good input is a text

    @cache  # noqa: B019 - the targets are one table that lives as long as the process
    def seeds(self) -> tuple[bytes, ...]:
        """Good input."""
        return self.make_seeds()

    @property
    def corpus(self) -> Path:
        """A file an input: findings, and what a coverage-guided run found worth keeping."""
        return CORPUS / self.name

    def kept(self) -> list[bytes]:
        """The corpus and the seeds."""
        return [*(path.read_bytes() for path in sorted(self.corpus.glob("*"))), *self.seeds()]


def refuses_or_takes(target: Target, data: bytes) -> bool:
    """Whether ``data`` was taken. Any exception that is not one of ours comes out: that is a finding."""
    try:
        target.read(data)
    except P2PChatError as error:
        check_words(error)
        return False
    return True


def check_words(error: P2PChatError) -> None:
    """An error is a sentence for a person: bounded, one line, nothing that acts on a terminal, never a 'bug'."""
    assert error.code != "BUG", error
    assert 0 < len(error.message) <= 1000, len(error.message)
    assert "\n" not in error.message, error.message
