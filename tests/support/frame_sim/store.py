"""A node's disk: a dictionary in which only commits last."""

from collections.abc import Hashable
from typing import Any, Final

_ABSENT: Final = object()


class Store:
    """Values are immutable, so a snapshot is a copy of the dictionary."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, Any] = {}
        self._undo: list[tuple[Hashable, Any]] = []

    def get(self, key: Hashable, default: Any = None) -> Any:
        return self._rows.get(key, default)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._rows

    def put(self, key: Hashable, value: Any) -> None:
        self._undo.append((key, self._rows.get(key, _ABSENT)))
        self._rows[key] = value

    def drop(self, key: Hashable) -> None:
        self._undo.append((key, self._rows.pop(key, _ABSENT)))

    def commit(self) -> None:
        self._undo.clear()

    def crash(self) -> None:
        """What was not committed is gone."""
        while self._undo:
            key, value = self._undo.pop()
            if value is _ABSENT:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value

    def snapshot(self) -> dict[Hashable, Any]:
        assert not self._undo
        return dict(self._rows)

    def restore(self, snapshot: dict[Hashable, Any]) -> None:
        self._undo.clear()
        self._rows = dict(snapshot)
