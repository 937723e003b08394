"""Smart cards made of software: SoftHSM2 keeps them in a folder that SOFTHSM2_CONF names."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PIN: Final = "1234"
_PLACES: Final = (
    "/usr/lib/softhsm",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib64/pkcs11",
    "/usr/local/lib/softhsm",
)


def module() -> str | None:
    """The path of its PKCS #11 library; None where it, or its tool, is not installed."""
    if shutil.which("softhsm2-util") is None:
        return None
    found = [str(path) for place in _PLACES if (path := Path(place) / "libsofthsm2.so").exists()]
    return found[0] if found else None


def make_card(folder: Path, label: str) -> Mapping[str, str]:
    """A new card, kept in ``folder``; the environment that leads there."""
    (folder / "cards").mkdir(exist_ok=True)
    config = folder / "softhsm.conf"
    config.write_text(f"directories.tokendir = {folder / 'cards'}\nlog.level = ERROR\n")
    environ = {"SOFTHSM2_CONF": str(config)}
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"]
    subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True, timeout=30)
    return environ
