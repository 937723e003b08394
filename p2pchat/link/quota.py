"""A memory of handshakes seen. Pure."""

from collections import OrderedDict
from typing import Final

REMEMBERED_EPHEMERALS: Final = 16_384  # 0.5 MiB of keys


class SeenEphemerals:
    """The initiators' ephemeral keys of late: one that comes again is a replay (protocol.md 5.2).

    Only message 1s whose psk tag was valid get here, so who does not know the ID cannot crowd the memory out.
    """

    def __init__(self, remembered: int = REMEMBERED_EPHEMERALS) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def is_new(self, ephemeral: bytes) -> bool:
        if ephemeral in self._seen:
            return False
        self._seen[ephemeral] = None
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return True
