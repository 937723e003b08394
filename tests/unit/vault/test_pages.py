"""Tokens of pages come from callers, who may write what they like."""

import pytest
from trio.testing import MockClock

from p2pchat.errors import BadFormat
from tests.support.vaults import Peer, running


@pytest.mark.parametrize(
    "page", [f"{2**63}-1-{'00' * 16}-{'00' * 16}", f"1-{2**63}-{'00' * 16}-{'00' * 16}", "1-1-00", "-1-1--", "x"]
)
async def test_a_page_that_no_list_has_is_an_error_of_the_caller(autojump_clock: MockClock, page: str) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        with pytest.raises(BadFormat, match="no page"):
            await vault.call("history", peer="peer", page=page)
