"""A daemon's event log in a test's hands, for ``recv``."""

import threading
from dataclasses import dataclass, field
from typing import Any

from p2pchat.limits import EXEC_RETRIES
from tests.support.fake_daemon import BOB, MESSAGE


@dataclass
class EventLog:
    """``event.next`` and ``event.failed`` as rpc/methods.py describes them, over a list."""

    events: list[dict[str, Any]] = field(default_factory=list)
    readers: dict[str, int] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    came: threading.Condition = field(default_factory=threading.Condition)

    def add(self, type_: str = "message", **fields: Any) -> None:
        shape: dict[str, Any] = {"cursor": len(self.events) + 1, "type": type_, "from": BOB, **fields}
        if type_ == "message":
            shape = {"message": MESSAGE, "nickname": "bob", "group": None, "files": [], "text": "hi"} | shape
            shape |= {"sent_ms": 1_700_000_000_000, "received_ms": 1_700_000_000_001}
        with self.came:
            self.events.append(shape)
            self.came.notify_all()

    def next(self, params: dict[str, Any]) -> dict[str, Any]:
        reader = params.get("reader", f"cli:{params['from']}" if "from" in params else "cli")
        with self.came:
            start = max(self.readers.get(reader, 0), params.get("after", 0))
            if "since" in params:
                start = params["since"]
            elif not params["peek"]:
                if self.readers.get(reader, 0) < start:
                    self.tries[reader] = 0
                self.readers[reader] = start
            if params["limit"] and not self._after(start, params):
                self.came.wait(min(params["wait_ms"], 200) / 1000)
            return {"events": self._after(start, params), "tries": self.tries.get(reader, 0)}

    def failed(self, params: dict[str, Any]) -> dict[str, Any]:
        reader = params.get("reader", f"cli:{params['from']}" if "from" in params else "cli")
        self.tries[reader] = max(self.tries.get(reader, 0), params["tries"])
        given_up = self.tries[reader] > EXEC_RETRIES
        if given_up:
            self.readers[reader], self.tries[reader] = params["cursor"], 0
            self.add("warning", text=f"failed at event {params['cursor']}")
        return {"given_up": given_up}

    def _after(self, start: int, params: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = [e for e in self.events[start:] if params["all"] or e["type"] == "message"]
        return wanted[: params["limit"]]
