"""A home with an identity, and a fake daemon in it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from p2pchat.keys.seal import LIGHT, seal
from tests.support.fake_daemon import FakeDaemon, serving


@cache
def unlock_key() -> bytes:
    """That opens with a password."""
    return seal(bytes(32), b"secret", fresh=bytes(40), cost=LIGHT)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that P2PCHAT_HOME names; it looks as if it had an identity."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    (path / "unlock.key").write_bytes(unlock_key())
    monkeypatch.setenv("P2PCHAT_HOME", str(path))
    monkeypatch.delenv("P2PCHAT_PASSWORD_FILE", raising=False)
    return path


@pytest.fixture
def fake(home: Path) -> Iterator[FakeDaemon]:
    with serving(home, FakeDaemon({})) as daemon:
        yield daemon
