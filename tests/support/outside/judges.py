"""Other people's programs, and what they say of a capture: tshark and nDPI."""

import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WARNING: Final = 0x00600000  # of tshark's expert severities; notes and chats are lower
# The kernel's flow control on a busy machine: it sends again, and it waits for a reader.
_BUSY: Final = re.compile(r"retransmission|D-SACK|window|Out-Of-Order", re.IGNORECASE)
_FIELDS: Final = (
    *("tcp.stream", "tcp.len", "frame.protocols", "tcp.reassembled_in", "tcp.segment"),
    *("_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "tcp.analysis.retransmission", "_ws.col.Info"),
)


@dataclass(frozen=True, slots=True)
class TsharkVerdict:
    segments: int  # that carry bytes
    strange: list[str]  # what those are that are neither HTTP nor WebSocket, nor part of a longer such, nor said twice
    malformed: int
    warnings: list[str]  # but for those that tell of a busy machine


def tshark(path: Path, ports: set[int]) -> TsharkVerdict:
    """``ports`` are where somebody listens: HTTP is expected there."""
    decode = [word for port in sorted(ports) for word in ("-d", f"tcp.port=={port},http")]
    fields = [word for field in _FIELDS for word in ("-e", field)]
    command = ["tshark", "-2", "-r", str(path), *decode, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    done = subprocess.run([*command, *fields], capture_output=True, text=True, timeout=180, check=True)
    segments, strange, malformed = 0, [], 0
    warnings, carry = defaultdict[str, list[str]](list), set[str]()
    for line in done.stdout.splitlines():
        stream, length, protocols, later, earlier, ill, severities, messages, again, about = line.split("\t")
        malformed += bool(ill) or "_ws.malformed" in protocols
        if any(int(each, 0) >= _WARNING for each in severities.split(",") if each) and not _BUSY.search(messages):
            warnings[stream].append(messages)
        if int(length):
            segments += 1
            carry.add(stream)
            known = {"http", "websocket"} & set(protocols.split(":"))
            if not known and not later and not earlier and not again:
                strange.append(f"{protocols}: {about}")
    told = [message for stream in carry for message in warnings[stream]]  # a refused dial is a reset, and no more
    return TsharkVerdict(segments, strange, malformed, told)


@dataclass(frozen=True, slots=True)
class Flow:
    protocol: str
    risks: frozenset[str]  # as nDPI words them


_FLOW: Final = re.compile(r"\tTCP .*\[proto: [\d.]+/(?P<protocol>[^\]]+)\].*\[Goodput ratio: (?P<goodput>[\d/]+)\]")
_RISKS: Final = re.compile(r"\[Risk: (.*?)\]")


def ndpi(path: Path) -> list[Flow]:
    """Every flow that carries bytes, as nDPI's own example reader sees it."""
    done = subprocess.run(["ndpiReader", "-i", str(path), "-v", "2"], capture_output=True, timeout=180, check=True)
    flows = []
    for line in done.stdout.decode(errors="replace").splitlines():
        if (found := _FLOW.search(line)) and found["goodput"] != "0/0":
            risks = re.findall(r"\*\* (.*?) \*\*", told[1]) if (told := _RISKS.search(line)) else []
            flows.append(Flow(found["protocol"], frozenset(risks)))
    return flows
