"""How often strangers may come in from one neighbourhood (protocol.md 14). Pure."""

from collections import OrderedDict
from typing import Final

from p2pchat.firewall.half_open import prefix_of
from p2pchat.token_bucket import TokenBucket, allowance

HOUR_S: Final = 3600.0
REMEMBERED: Final = 4096  # neighbourhoods: whoever crowds one out commands as many networks


class Strangers:
    """Counts authenticated links of people who are nothing to the user yet. ``per_hour`` 0 means no limit."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def may_enter(self, host: str, now_s: float) -> bool:
        """Whether one more from ``host`` (an IP literal) is within the bound; if so it counts."""
        prefix = prefix_of(host)
        bucket = self._buckets.pop(prefix, None) or allowance(self._per_hour, every_s=HOUR_S, now_s=now_s)
        if bucket is None:
            return True
        self._buckets[prefix] = bucket
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket.take(now_s)
