"""A bound on how often: so many at once, so many back each second. Pure."""


class TokenBucket:
    """``burst`` at once, ``per_s`` back each second."""

    def __init__(self, *, burst: float, per_s: float, now_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._tokens = burst
        self._filled_s = now_s

    def take(self, now_s: float) -> bool:
        """Whether one more is within the bound."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._filled_s) * self._per_s)
        self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def allowance(count: int, *, every_s: float, now_s: float) -> TokenBucket | None:
    """``count`` in ``every_s``, which may come at once; None where 0 means no limit."""
    return TokenBucket(burst=count, per_s=count / every_s, now_s=now_s) if count else None
