"""Python, packages, clock: whether this computer can run p2pchat."""

import importlib.metadata
import platform
import re
import sys
import time
from collections.abc import Iterator
from typing import Final

from p2pchat.commands.checks.verdict import Verdict

# What pyproject.toml asks for.
PACKAGES: Final = (
    *("apsw-sqlite3mc", "click", "cryptography", "h11", "msgpack", "pillow", "pynacl", "qrcode", "reedsolo", "trio"),
    *("websockets", "zxing-cpp"),
)
BUILT_S: Final = 1_767_225_600  # 2026-01-01: a clock before it is wrong
SANE_S: Final = 4_102_444_800  # 2100-01-01: and one after it, too


def checks() -> Iterator[Verdict]:
    yield _python()
    yield _packages()
    yield _clock()


def _python() -> Verdict:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    fit = sys.version_info >= (3, 11)
    return Verdict("python", "ok" if fit else "bad", detail, "" if fit else "install Python 3.11 or newer")


def _packages() -> Verdict:
    """That all are there, in the versions that the installed p2pchat asks for (a bare checkout asks for none)."""
    versions = {name: _version(name) for name in PACKAGES}
    wanted = _wanted()
    unfit = [
        f"{name}{wanted.get(name, '')}"
        for name, version in versions.items()
        if version is None or not fits(version, wanted.get(name, ""))
    ]
    detail = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    if unfit:
        return Verdict("packages", "bad", detail, f"pip install {' '.join(map(repr, unfit))}")
    return Verdict("packages", "ok", detail)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _wanted() -> dict[str, str]:
    """Name to range, of the run-time dependencies."""
    try:
        lines = importlib.metadata.requires("p2pchat") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    parsed = (re.fullmatch(r"([A-Za-z0-9._-]+)\s*([^;]*)", line) for line in lines)
    return {found[1].lower(): found[2].strip() for found in parsed if found}


def fits(version: str, wanted: str) -> bool:
    """Whether ``1.2.3`` is in a range such as ``>=1.2,<2`` or ``==1.2.*`` (the forms of our pyproject.toml)."""
    have = _numbers(version)
    for clause in filter(None, wanted.split(",")):
        match = re.fullmatch(r"\s*(>=|<|==)\s*([0-9.]+?)(\.\*)?\s*", clause)
        if match is None:
            continue  # a form that we do not use: pip judges it
        bound = _numbers(match[2])
        fit = {">=": have >= bound, "<": have < bound, "==": have[: len(bound)] == bound}[match[1]]
        if not fit:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _clock() -> Verdict:
    now_s = time.time()
    detail = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if BUILT_S < now_s < SANE_S:
        return Verdict("clock", "ok", detail)
    return Verdict("clock", "bad", detail, "timedatectl set-ntp true")
