"""Homes with stored identities, for tests and benchmarks that run real daemons."""

from pathlib import Path

from p2pchat.commands.new_home import make_home as make
from p2pchat.commands.new_home import read_primes
from p2pchat.home import Home

_IDENTITIES = Path(__file__).parent / "identities"


def make_home(path: Path, index: int, password: str) -> None:
    """A new home at ``path`` with the ``index``-th stored root key (0 to 5) and the light password cost. 0.2 s."""
    primes = read_primes(_IDENTITIES / f"{index}.hex")
    make(Home(path, path), primes, password.encode(), nickname=f"person {index}", light=True)
