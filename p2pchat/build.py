"""Which build this process runs: vault and gate talk only to each other's very twin."""

from functools import cache
from hashlib import sha256
from pathlib import Path


@cache
def build_hash() -> bytes:
    """32 bytes over the paths and contents of the package's modules. A few milliseconds, once."""
    root = Path(__file__).parent
    digest = sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.digest()
