"""Runs the scenario in a network namespace of its own, captured; says what is missing where it cannot."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TOOLS: Final = ("unshare", "ip", "tcpdump", "tshark", "ndpiReader")
_ROOT: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Capture:
    path: Path  # pcap
    ids: dict[str, str]  # as text: as hex
    nicknames: list[str]
    texts: list[str]


@cache
def missing() -> str:
    """Why nothing can be captured here; empty where it can."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"no {', '.join(absent)} here (apt-get install tshark libndpi-bin tcpdump iproute2 util-linux)"
    listen = _private("timeout 1 tcpdump -Z root -i lo -c 1 -w /dev/null")
    tried = subprocess.run(listen, capture_output=True, text=True, timeout=30, check=False)
    if "listening on" not in tried.stderr:
        return f"no right to a network of its own, or to capture in it: {tried.stderr.strip()[-200:]}"
    return ""


def capture(folder: Path, carrier: str, *, sittings: int) -> Capture:
    """Everything that two nodes and their visitors sent each other over ``carrier``; some 10 s a sitting."""
    python = f'exec "{sys.executable}" -m tests.support.outside.scenario "{folder}" {carrier} {sittings}'
    done = subprocess.run(_private(python), cwd=_ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((folder / "secrets.json").read_text())
    return Capture(folder / "traffic.pcap", told["ids"], told["nicknames"], told["texts"])


def _private(script: str) -> list[str]:
    """``script`` in a new network namespace with a loopback that works; as root of a user namespace where needed."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, "--net", "sh", "-c", f"ip link set lo up && {script}"]
