from collections.abc import Iterator

import pytest

from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from tests.support.simdisk import SimDisk
from tests.support.stores import add_contact, open_tx


@pytest.fixture
def disk() -> Iterator[SimDisk]:
    disk = SimDisk()
    yield disk
    disk.close()


@pytest.fixture
def tx(disk: SimDisk) -> Tx:
    return open_tx(disk)


@pytest.fixture
def bob(tx: Tx) -> Contact:
    return add_contact(tx, "b", alias="bob", nickname="Bobby")


@pytest.fixture
def eve(tx: Tx) -> Contact:
    return add_contact(tx, "e", nickname="Eve")
