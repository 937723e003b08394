"""The first-packet rule by which a national firewall blocked traffic that is nothing but noise.

Source: Wu et al., "How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic", USENIX Security 2023,
section 4: five exemptions, and what is left is blocked.
"""

import re
from typing import Final

FEW_BITS, MANY_BITS = 3.4, 4.6  # set bits a byte, on average
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))
_METHODS: Final = re.compile(rb"(GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) ")
_TLS: Final = re.compile(rb"\x16\x03[\x00-\x03]", re.DOTALL)
_RUN: Final = re.compile(rb"[\x20-\x7e]{21,}")


def blocks(first: bytes) -> bool:
    """Whether a connection whose client begins with the packet ``first`` would have been blocked."""
    bits = int.from_bytes(first).bit_count() / len(first)
    printable = [byte in _PRINTABLE for byte in first]
    exempt = (
        bits <= FEW_BITS
        or bits >= MANY_BITS
        or (len(first) >= 6 and all(printable[:6]))
        or sum(printable) > len(first) / 2
        or _RUN.search(first) is not None
        or _METHODS.match(first) is not None
        or _TLS.match(first) is not None
    )
    return not exempt
