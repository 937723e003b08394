"""``metrics``: what the vault counts (rpc/metrics.py has the table)."""

from collections.abc import Iterator

from p2pchat.rpc.metrics import SECONDS, Sample, counts, of_process, sample
from p2pchat.store import census, events, outbox
from p2pchat.store.tx import Reader
from p2pchat.vault.methods.contact import Params, Result
from p2pchat.vault.node import Node


async def metrics(node: Node, _params: Params) -> Result:
    stored = await node.store.read_slow(lambda reader: list(_stored(reader)))  # off the loop: some walk a table
    return {"metrics": [*stored, *_running(node)]}


def _stored(reader: Reader) -> Iterator[Sample]:
    for (outgoing, state), count in census.messages(reader).items():
        yield sample("p2pchat_messages", count, direction="out" if outgoing else "in", state=state)
    yield sample("p2pchat_outbox_deliveries", outbox.count(reader))
    yield from counts("p2pchat_contacts", "state", census.contacts(reader))
    yield from counts("p2pchat_channels", "health", census.channels(reader))
    yield sample("p2pchat_events_total", events.last_cursor(reader))
    size, free = census.size_bytes(reader)
    yield sample("p2pchat_store_bytes", size)
    yield sample("p2pchat_store_free_bytes", free)


def _running(node: Node) -> Iterator[Sample]:
    written = node.store.counts
    yield sample("p2pchat_store_commits_total", written.commits)
    yield sample("p2pchat_store_jobs_total", written.jobs)
    yield sample("p2pchat_store_largest_batch_jobs", written.largest)
    yield sample("p2pchat_store_commit_seconds_total", round(written.took_s * SECONDS))
    yield from counts("p2pchat_repairs_total", "kind", node.repairs)
    yield from of_process("vault", started_ms=node.started_ms, delay_s=node.delay.worst_s)
