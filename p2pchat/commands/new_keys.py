"""Make root keys while something else goes on: a line that counts the seconds, and an ear for Ctrl-C."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, TypeAlias

Primes: TypeAlias = tuple[bytes, bytes]  # 512 bytes each

_TICK_S: Final = 0.1


def generate_primes(count: int, tick: Callable[[float], None]) -> list[Primes]:
    """The primes of ``count`` new RSA-8192 root keys, made at the same time: 5-11 s each on a core of its own.

    ``tick`` is called ten times a second with the seconds that have passed; what it raises ends the wait. The threads
    then run on until the process ends, which they do not hold up.
    """
    from p2pchat.keys.root import generate

    made: queue.SimpleQueue[Primes | Exception] = queue.SimpleQueue()

    def make() -> None:
        try:
            root = generate()
            made.put((root.p, root.q))
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            made.put(error)

    began_s = time.monotonic()
    for _ in range(count):
        threading.Thread(target=make, daemon=True).start()
    primes: list[Primes] = []
    while len(primes) < count:
        tick(time.monotonic() - began_s)
        try:
            result = made.get(timeout=_TICK_S)
        except queue.Empty:
            continue
        if isinstance(result, Exception):
            raise result
        primes.append(result)
    return primes
