"""What a message need not wait for: the search index, and moving the write-ahead log into the database."""

from typing import Final

import trio

from p2pchat.errors import DiskFull
from p2pchat.store import search
from p2pchat.store.writer import Store

PAUSE_S: Final = 2.0  # a burst of messages is over by then, usually


async def keep(store: Store) -> None:
    """For ever."""
    while True:
        await trio.sleep(PAUSE_S)
        try:
            await learn_words(store)
            await store.tidy()
        except DiskFull:
            continue  # said by those who have something to store


async def learn_words(store: Store) -> None:
    """Return once the index knows every text. Other changes come in between. Raises DiskFull."""
    while store.read(search.behind):
        await store.change(search.index)
