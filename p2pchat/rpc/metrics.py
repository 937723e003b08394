"""Metrics: the one table of what vault and gate count, and their text form for Prometheus.

A label's value is one word of a closed set (a state, a carrier, an error code): no ID, no name, no address ever stands
in a metric, so that a page of them may be shown to a monitoring system of others. On the socket values are whole
numbers; those of a family in seconds count microseconds. Source of the text form: Prometheus, "Exposition formats".
"""

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypedDict

SECONDS: Final = 1_000_000  # the socket's numbers in one second
LABEL_VALUE: Final = r"[a-z0-9_+-]+"


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name."""

    name: str
    type: Literal["counter", "gauge"]
    help: str

    @property
    def scale(self) -> int:
        return SECONDS if "_seconds" in self.name else 1


class Sample(TypedDict):
    """One number as it crosses the socket."""

    name: str
    labels: dict[str, str]
    value: int


Samples: TypeAlias = Iterable[Sample]

_TABLE: Final = (
    # --- the vault's
    Family("p2pchat_messages", "gauge", "Messages in the store, by direction and state."),
    Family("p2pchat_outbox_deliveries", "gauge", "Deliveries that still wait."),
    Family("p2pchat_contacts", "gauge", "Contacts by state."),
    Family("p2pchat_channels", "gauge", "Accepted contacts by the health of their channel."),
    Family("p2pchat_events_total", "counter", "Events ever written to the log."),
    Family("p2pchat_store_commits_total", "counter", "Transactions since the start."),
    Family("p2pchat_store_jobs_total", "counter", "Jobs in them."),
    Family("p2pchat_store_largest_batch_jobs", "gauge", "Most jobs that shared one transaction since the start."),
    Family("p2pchat_store_commit_seconds_total", "counter", "Time spent in transactions."),
    Family("p2pchat_store_bytes", "gauge", "Size of the store's database."),
    Family("p2pchat_store_free_bytes", "gauge", "Of it, pages that hold nothing."),
    Family(
        "p2pchat_repairs_total", "counter", "Damaged messages asked for again, channels that began to heal or gave up."
    ),
    # --- the gate's
    Family("p2pchat_links", "gauge", "Authenticated links by role of the peer and carrier."),
    Family("p2pchat_dials", "gauge", "Wanted links by what is being done for them."),
    Family("p2pchat_half_open", "gauge", "Visitors who have not proven who they are."),
    Family("p2pchat_handshakes_total", "counter", "Handshakes by the own role and how they ended."),
    Family("p2pchat_visitors_refused_total", "counter", "Visitors turned away at the door because it was full."),
    Family("p2pchat_strangers_total", "counter", "Visitors who were shown the web page, or refused behind it."),
    Family("p2pchat_links_ended_total", "counter", "Links that ended, by reason."),
    Family("p2pchat_link_bytes_total", "counter", "Bytes of authenticated links, by direction."),
    Family("p2pchat_listeners", "gauge", "Sockets that take visitors."),
    # --- of each process
    Family("p2pchat_loop_delay_seconds", "gauge", "Worst lateness of the event loop within the last minute."),
    Family("p2pchat_cpu_seconds_total", "counter", "Processor time since the start."),
    Family("p2pchat_resident_peak_bytes", "gauge", "Most memory that was resident at a time."),
    Family("p2pchat_start_time_seconds", "gauge", "When the process became ready, in Unix time."),
)
FAMILIES: Final[Mapping[str, Family]] = {family.name: family for family in _TABLE}


def sample(name: str, value: int, **labels: str) -> Sample:
    """One number of a family in the table. ``value``: of a family in seconds, microseconds."""
    return {"name": FAMILIES[name].name, "labels": labels, "value": value}


def counts(name: str, label: str, values: Mapping[str, int]) -> Iterator[Sample]:
    """One sample for each value of one label."""
    for word, value in values.items():
        yield sample(name, value, **{label: word})


def of_process(process: str, *, started_ms: int, delay_s: float) -> Iterator[Sample]:
    """What every process tells of itself."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    yield sample("p2pchat_loop_delay_seconds", max(0, round(delay_s * SECONDS)), process=process)
    yield sample("p2pchat_cpu_seconds_total", round(time.process_time() * SECONDS), process=process)
    yield sample("p2pchat_resident_peak_bytes", peak, process=process)
    yield sample("p2pchat_start_time_seconds", started_ms * 1000, process=process)


def number(given: Sample) -> int | float:
    """The value in the family's own unit."""
    scale = FAMILIES[given["name"]].scale
    return given["value"] if scale == 1 else given["value"] / scale


def text(samples: Samples) -> Iterator[str]:
    """The lines of the text form: the samples of a family together, in the table's order."""
    by_name: dict[str, list[Sample]] = {}
    for given in samples:
        by_name.setdefault(given["name"], []).append(given)
    for name, family in FAMILIES.items():
        if name in by_name:
            yield f"# HELP {name} {family.help}"
            yield f"# TYPE {name} {family.type}"
            for given in by_name[name]:
                yield f"{name}{_braces(given['labels'])} {number(given)!r}"


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
