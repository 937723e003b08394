"""Every parser, in one table by name. A new parser gets a ``Target`` in one of these files."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import backup, identity, link, local, pair, web, wire

GROUPS: Final[dict[str, tuple[Target, ...]]] = {
    "wire": wire.TARGETS,
    "link": link.TARGETS,
    "identity": identity.TARGETS,
    "backup": backup.TARGETS,
    "pair": pair.TARGETS,
    "web": web.TARGETS,
    "local": local.TARGETS,
}
TARGETS: Final[dict[str, Target]] = {target.name: target for group in GROUPS.values() for target in group}


def _planted(data: bytes) -> None:
    """Three steps deep, so that noise alone hardly gets there."""
    if data[:1] == b"p" and data[1:2] == b"2" and data[2:3] == b"p":
        raise RuntimeError("found")


PLANTED: Final = Target("planted", _planted, lambda: (b"????",))  # in no table: it shows that a finding is a finding
