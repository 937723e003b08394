"""Room for file descriptors: strangers at the door must not take those that the node itself needs."""

import resource
from contextlib import suppress
from typing import Final

from p2pchat.limits import HALF_OPEN_LINKS

DESCRIPTORS: Final = 16 * HALF_OPEN_LINKS  # a crowd at the door, and thousands of links


def make_room(wanted: int = DESCRIPTORS) -> None:
    """Raise this process's soft limit to ``wanted``, or as far as the hard one allows.

    Many systems start a process with 1024, macOS with 256: as many as strangers may hold. Best effort, as
    ``firewall.gate`` runs on with less.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
