"""News: something durable changed. Whoever waits for a state looks again; nobody is handed the change itself."""

import trio


class News:
    """A bell, rung after commits. Take ``next_ring()`` *before* looking at the store, then wait for it."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = trio.Event()

    def next_ring(self) -> trio.Event:
        return self._event
