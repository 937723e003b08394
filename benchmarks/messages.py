"""W2 and W3: a thousand messages at once, and two hundred one by one, against the roofline of the same minute."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, cast

from benchmarks.figures import Figure, percentile, share_of_limit, times_limit
from benchmarks.pair import Pair, await_delivery, delivered
from benchmarks.pipeline import Pipeline
from benchmarks.processes import KNOWN, profile, spent
from p2pchat.commands.demo_node import Node
from p2pchat.rpc.jsonlines import Json

SERIAL: Final = 200
PIPELINED: Final = 1000
TEXT_BYTES: Final = 300
PAGE: Final = 64


def serial(pair: Pair, folder: Path, repeats: int) -> list[Figure]:
    """W3: each message is submitted when the one before was acknowledged."""
    ours: list[tuple[float, float]] = []
    limits: list[dict[str, float]] = []
    delivered(pair.a, pair.b, "the first pays for what is made once")
    used = []
    for _ in range(repeats):
        limits.append(roofline("serial", folder))
        before = _newest(pair.b)
        used.append(spent(pair) if KNOWN else {})
        took_ms, sent = [], []
        for n in range(SERIAL):
            began = time.perf_counter()
            sent.append(delivered(pair.a, pair.b, _text(n)))
            took_ms.append((time.perf_counter() - began) * 1e3)
        used.append(spent(pair) if KNOWN else {})
        _verify(pair, before, sent)
        ours.append((percentile(took_ms, 50), percentile(took_ms, 99)))
    p50, p99 = zip(*ours, strict=True)
    note = "rpc send that waits: submit to the other disk and back"
    return [
        Figure("W3", "one message, p50", "ms", p50, _median(limits, "p50_ms"), times_limit(3), note),
        Figure("W3", "one message, p99", "ms", p99, _median(limits, "p99_ms"), times_limit(5), note),
        Figure("W3", "of that, one call of the control socket", "ms", (_call_ms(pair.a),)),
        *profile("W3", used[-2], used[-1], SERIAL),
    ]


def pipelined(pair: Pair, folder: Path, repeats: int) -> list[Figure]:
    """W2: all at once, written ahead over a few connections; the last acknowledgement ends it."""
    ours: list[float] = []
    limits: list[dict[str, float]] = []
    used = []
    for _ in range(repeats):
        limits.append(roofline("pipelined", folder))
        before = _newest(pair.b)
        used.append(spent(pair) if KNOWN else {})
        with Pipeline(pair.a.home.rpc_sock, pair.b.id, [_text(n) for n in range(PIPELINED)]) as pipeline:
            began = time.perf_counter()
            await_delivery(pair.a, pipeline.submit())
            while pair.a.call("status")["outbox"]:  # what was answered a moment before or after it
                time.sleep(0.001)
            took_s = time.perf_counter() - began
            sent = pipeline.messages()
        used.append(spent(pair) if KNOWN else {})
        _verify(pair, before, sent)
        ours.append(PIPELINED / took_s)
    note = "first submit to last acknowledgement, durable at both ends"
    return [
        Figure("W2", "1000 messages at once", "/s", tuple(ours), _median(limits, "per_s"), share_of_limit(0.15), note),
        *profile("W2", used[-2], used[-1], PIPELINED),
    ]


def roofline(kind: str, folder: Path) -> dict[str, float]:
    """In a process of its own, so that it owes nothing to this one."""
    command = [sys.executable, "-m", "benchmarks.roofline", kind, str(folder)]
    return cast(dict[str, float], json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def _call_ms(node: Node) -> float:
    """The median of calls that ask for nothing that has to be looked up."""
    took_ms = []
    for _ in range(SERIAL):
        began = time.perf_counter()
        node.call("whoami")
        took_ms.append((time.perf_counter() - began) * 1e3)
    return percentile(took_ms, 50)


def _text(number: int) -> str:
    return f"{number:04d} ".ljust(TEXT_BYTES, "x")


def _newest(node: Node) -> int:
    return cast(int, node.call("status")["last_cursor"])


def _verify(pair: Pair, after: int, sent: list[str]) -> None:
    """The receiver's log holds exactly these messages, whole, from the sender; anything else ends the run."""
    got: list[dict[str, Json]] = []
    while page := cast(list[dict[str, Json]], pair.b.call("event.next", since=after, limit=PAGE)["events"]):
        got += page
        after = cast(int, page[-1]["cursor"])
    whole = [e for e in got if e["from"] == pair.a.id and len(cast(str, e["text"])) == TEXT_BYTES]
    ids = [e["message"] for e in whole]
    if len(ids) != len(set(ids)) or set(ids) != set(sent) or len(got) != len(sent):
        raise SystemExit(
            f"sent {len(set(sent))} messages, the receiver holds {len(got)}, {len(set(ids))} of them right"
        )


def _median(runs: list[dict[str, float]], name: str) -> float:
    return percentile([run[name] for run in runs], 50)
