"""``init`` on a recorded disk, with a stored root key and the light password cost. 0.2 s."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, TypeAlias

from p2pchat.commands.new_home import make_home, read_primes
from p2pchat.home import Home
from tests.support.daemons import PASSWORD as WORDS
from tests.support.power.plain import PlainFiles
from tests.support.power.trace import Trace

Bug: TypeAlias = Callable[[], AbstractContextManager[object]]
PASSWORD: Final = WORDS.encode()
PRIMES: Final = read_primes(Path(__file__).parents[1] / "identities" / "0.hex")


def make(folder: Path) -> None:
    """A new identity in ``folder/home``."""
    make_home(Home(folder / "home", folder / "home"), PRIMES, PASSWORD, nickname="ada", light=True)


def recorded(folder: Path, bug: Bug = nullcontext) -> Trace:
    """One ``init``, perhaps with a planted bug. Its answer goes out when all of the trace is done."""
    folder.mkdir()
    trace = Trace(folder)
    trace.begin()
    with PlainFiles(trace).installed(), bug():
        make(folder)
    return trace
