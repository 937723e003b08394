"""How the daemon starts other processes of this very p2pchat."""

import os
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]  # what has to be on sys.path for ``import p2pchat``
_PRIVATE: Final = "P2PCHAT_PASSWORD_FILE"  # the command line's alone


@dataclass(frozen=True, slots=True)
class Programs:
    """The commands, without their arguments, of the processes that the launcher starts."""

    vault: tuple[str, ...]
    gate: tuple[str, ...]
    unlock: tuple[str, ...]
    dongle: tuple[str, ...]


def python(module: str) -> tuple[str, ...]:
    """Run ``module`` with this interpreter. ``-P``: never import from the directory that a user stands in."""
    return (sys.executable, "-P", "-m", module)


def own() -> Programs:
    return Programs(
        vault=python("p2pchat.vault"),
        gate=python("p2pchat.firewall"),
        unlock=python("p2pchat.launch.unlock"),
        dongle=python("p2pchat.launch.dongle"),
    )


def environ(base: Mapping[str, str]) -> dict[str, str]:
    """``base`` for a process that has to import p2pchat, also from a checkout that is not installed."""
    kept = {name: value for name, value in base.items() if name != _PRIVATE}
    if str(ROOT) in (*site.getsitepackages(), site.getusersitepackages()):
        return kept  # site-packages in PYTHONPATH would go before the standard library
    parts = [str(ROOT), *filter(None, [base.get("PYTHONPATH", "")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(dict.fromkeys(os.pathsep.join(parts).split(os.pathsep)))}
