"""The schema's history: ``schema/NNN.sql`` takes a store from version NNN - 1 to NNN, its ``user_version``."""

from importlib.resources import files
from typing import Final

import apsw

from p2pchat.errors import Failed

VERSION: Final = 8


def script(version: int) -> str:
    """The statements that lead to ``version``."""
    return files("p2pchat.store").joinpath("schema", f"{version:03}.sql").read_text(encoding="utf-8")


def migrate(db: apsw.Connection) -> None:
    """Bring the schema to ``VERSION``, each step in a transaction of its own.

    Raises Failed for a store of a newer program; nothing is changed then.
    """
    found = db.pragma("user_version")
    if found > VERSION:
        raise Failed(
            f"this store has version {found}; it was made by a newer p2pchat, and this one reads up to {VERSION}",
            hint="install the newer p2pchat",
        )
    for version in range(found + 1, VERSION + 1):
        with db:
            db.execute(script(version))
            db.pragma("user_version", version)
