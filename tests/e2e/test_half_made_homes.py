"""Whatever a power cut leaves of ``init``: ``daemon start`` says one thing and names the next command, or it starts."""

from pathlib import Path

import pytest

from tests.support.complaints import refused
from tests.support.daemons import Node
from tests.support.power.inits import recorded
from tests.support.power.trace import Fate, put_on_disk


@pytest.mark.slow
def test_a_daemon_starts_on_a_whole_home_alone(tmp_path: Path) -> None:
    trace = recorded(tmp_path / "recorded")
    shapes = {}
    for at in range(len(trace) + 1):
        for fate in Fate:
            state = trace.after_cut(at, fate, 1)
            shapes[frozenset(name for name in state if ".key." not in name.name)] = state
    started = 0
    assert len(shapes) > 5
    for number, state in enumerate(shapes.values()):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        put_on_disk(state, trace.root, folder)
        node = Node(folder / "home")
        if trace.root / "home" / "unlock.key" in state:
            node.start()
            node.kill()
            started += 1
            continue
        refused(node, "NOT_FOUND", "daemon", "start", says="there is no identity")
        assert "mend it with: p2pchat init" in node.run("doctor").stdout
    assert started
