"""How often one neighbourhood may ask a tracker for what costs it: counted, never logged. Pure.

A neighbourhood is an IPv4 /24 or an IPv6 /56. Its name is a MAC under a key that lives as long as the process.
"""

from collections import OrderedDict
from hashlib import blake2s
from typing import Final

from p2pchat.token_bucket import TokenBucket

REMEMBERED: Final = 65_536
REGISTERS: Final = (60.0, 60 / 3600)  # at once, back each second
QUERIES: Final = (120.0, 600 / 3600)
_IPV4: Final = bytes(10) + b"\xff\xff"


class Neighbourhoods:
    """``factor`` multiplies what each may do; 0: no limit (load tests)."""

    def __init__(self, key: bytes, factor: float = 1.0) -> None:
        self._key = key
        self._factor = factor
        self._registers: OrderedDict[bytes, TokenBucket] = OrderedDict()
        self._queries: OrderedDict[bytes, TokenBucket] = OrderedDict()

    def may_register(self, address: bytes, now_s: int) -> bool:
        return self._take(self._registers, REGISTERS, address, now_s)

    def may_query(self, address: bytes, now_s: int) -> bool:
        return self._take(self._queries, QUERIES, address, now_s)

    def _take(
        self, buckets: OrderedDict[bytes, TokenBucket], rate: tuple[float, float], address: bytes, now_s: int
    ) -> bool:
        if not self._factor:
            return True
        prefix = address[:15] if address.startswith(_IPV4) else address[:7]
        name = blake2s(prefix, key=self._key, digest_size=8).digest()
        bucket = buckets.get(name)
        if bucket is None:
            burst, per_s = rate
            bucket = buckets[name] = TokenBucket(burst=burst * self._factor, per_s=per_s * self._factor, now_s=now_s)
            if len(buckets) > REMEMBERED:
                buckets.popitem(last=False)
        buckets.move_to_end(name)
        return bucket.take(now_s)
