"""Names that could be taken for somebody else's, pointed out where a person decides whom to trust (walls 4.8: H092)."""

from collections.abc import Iterable
from typing import Final, Self

from p2pchat.commands.ask import Row, ask, ask_list
from p2pchat.commands.frame import Settings
from p2pchat.errors import P2PChatError
from p2pchat.show import show_name, skeleton

# Words with which the program itself speaks of somebody.
_RESERVED: Final = frozenset(map(skeleton, ("me", "you", "system", "p2pchat")))


class LookAlikes:
    """The names of ``people``, among whom others are looked up."""

    def __init__(self, people: Iterable[Row]) -> None:
        self._bearers: dict[str, dict[str, str]] = {}  # skeleton -> ID -> name
        for person in people:
            for name in names(person):
                self._bearers.setdefault(skeleton(name), {})[str(person["id"])] = name

    @classmethod
    def asked(cls, settings: Settings) -> Self:
        """The contacts and oneself. Where the daemon does not answer, nobody: what is marked is a help, no verdict."""
        try:
            return cls([ask(settings, "whoami"), *ask_list(settings, "contact.list")])
        except P2PChatError:
            return cls(())

    def mark(self, person: Row) -> str:
        """``looks like pc1... bob`` where an alias or nickname of ``person`` may be mistaken; else empty."""
        for name in names(person):
            alike = skeleton(name)
            for user_id, other in self._bearers.get(alike, {}).items():
                if user_id != person["id"]:
                    return f"looks like {show_name(other, user_id)}"
            if alike in _RESERVED:
                return "looks like a word of this program"
        return ""


def names(person: Row) -> list[str]:
    """Alias and nickname, as far as there are such."""
    return [name for name in (person.get("alias"), person.get("nickname")) if isinstance(name, str) and name]
