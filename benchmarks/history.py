"""A history of 100,000 messages, really sent: searching it, starting with it, reading all of it again."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.pair import Pair, await_delivery
from benchmarks.pipeline import Pipeline

MESSAGES: Final = 100_000
BURST: Final = 1000
SEARCHES: Final = 5
_INDEX_S: Final = 120
_WORDS: Final = "the quick brown fox jumps over a lazy dog while seven wizards box quails at dawn"


def history(pair: Pair, folder: Path, messages: int = MESSAGES) -> list[Figure]:
    """The receiver's side of it. The first search also waits for the index, and does not count."""
    filled_s = _fill(pair, messages)
    newest = pair.b.call("history", wait_s=_INDEX_S, peer=pair.a.id, search=f"number{messages - 1}", last=8)["items"]
    assert len(newest) == 1, "the search finds the one message that holds the word"
    searches = [_search_s(pair, f"number{messages // (n + 2)}") for n in range(SEARCHES)]
    broad = [_search_s(pair, "wizards") for _ in range(SEARCHES)]
    pair.b.stop()
    began = time.perf_counter()
    pair.b.start()
    ready_s = time.perf_counter() - began
    rates = [_read_again(pair, folder, messages) for _ in range(3)]
    size = f"{messages:,} messages"
    return [
        Figure("H", f"{size}: sent and delivered in bursts of {BURST}", "/s", (messages / filled_s,)),
        Figure("H", f"{size}: search for a word that one holds", "ms", tuple(searches), goal=at_most(200)),
        Figure("H", f"{size}: search for a word that all hold", "ms", tuple(broad), goal=at_most(200)),
        Figure("H", f"{size}: start to ready, password check included", "s", (ready_s,), goal=at_most(2.0)),
        Figure("H", f"{size}: p2pchat recv --since 0 --json", "events/s", tuple(rates), goal=at_least(20_000)),
    ]


def _fill(pair: Pair, messages: int) -> float:
    began = time.perf_counter()
    for at in range(0, messages, BURST):
        texts = [f"number{n} " + _WORDS for n in range(at, at + BURST)]
        with Pipeline(pair.a.home.rpc_sock, pair.b.id, texts) as pipeline:
            await_delivery(pair.a, pipeline.submit())
    return time.perf_counter() - began


def _search_s(pair: Pair, word: str) -> float:
    began = time.perf_counter()
    found = pair.b.call("history", peer=pair.a.id, search=word, last=8)["items"]
    took_ms = (time.perf_counter() - began) * 1e3
    assert found
    return took_ms


def _read_again(pair: Pair, folder: Path, messages: int) -> float:
    """Events a second of the whole process, from its start to its end, written to a file."""
    script = Path(sys.executable).parent / "p2pchat"
    out = folder / "events.jsonl"
    with out.open("wb") as file:
        began = time.perf_counter()
        environ = pair.b.home.environ(os.environ)
        subprocess.run([str(script), "recv", "--since", "0", "--json"], env=environ, stdout=file, check=True)
        took_s = time.perf_counter() - began
    lines = out.read_bytes().count(b"\n")
    if lines < messages:
        raise SystemExit(f"{messages} messages were sent, recv prints {lines}")
    return lines / took_s
