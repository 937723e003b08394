"""What the vault counts, from a whole vault under virtual time."""

import json

from trio.testing import MockClock

from p2pchat.rpc.fields import SAMPLES
from tests.support.vaults import Peer, Vault, running


async def numbers(vault: Vault) -> dict[tuple[str, ...], int]:
    result = await vault.call("metrics")
    SAMPLES.check(json.loads(json.dumps(result)), "metrics")
    assert "pc1" not in json.dumps(result) and "peer" not in json.dumps(result), "no ID, no nickname"
    return {(s["name"].removeprefix("p2pchat_"), *s["labels"].values()): s["value"] for s in result["metrics"]}


async def test_an_empty_vault_counts_itself(autojump_clock: MockClock) -> None:
    async with running() as vault:
        found = await numbers(vault)
        assert found["outbox_deliveries",] == found["events_total",] == 0
        assert found["store_commits_total",] >= 1 and found["store_jobs_total",] >= found["store_commits_total",]
        assert found["store_largest_batch_jobs",] >= 1
        assert found["store_bytes",] > found["store_free_bytes",] >= 0
        assert found["start_time_seconds", "vault"] > 0
        assert not [name for name in found if name[0] in {"messages", "contacts", "channels", "repairs_total"}]


async def test_messages_contacts_and_what_waits(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        before = await numbers(vault)
        assert before["contacts", "accepted"] == before["channels", "ok"] == 1
        await peer.down()
        contact = (await vault.call("contact.list"))["items"][0]
        for text in ("one", "two"):
            await vault.call("send", to=[contact["id"]], text=text)
        after = await numbers(vault)
        assert after["messages", "out", "queued"] == after["outbox_deliveries",] == 2
        assert after["store_jobs_total",] >= before["store_jobs_total",] + 2
        assert after["store_commits_total",] > before["store_commits_total",]
