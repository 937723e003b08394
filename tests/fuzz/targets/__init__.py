"""Every parser, in one table by name. A new parser gets a ``Target`` in one of these files."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import identity, link, local, pair, wire

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*wire.TARGETS, *link.TARGETS, *identity.TARGETS, *pair.TARGETS, *local.TARGETS)
}
