"""``config`` with and without a daemon."""

from pathlib import Path

import pytest

from p2pchat.config import KEYS, load
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import FakeDaemon


def test_a_setting_is_changed_without_a_daemon(home: Path) -> None:
    done = p2pchat("--json", "config", "set", "advertise", "a.example:1, b.example:2")
    assert done.status == 0
    assert done.json["value"] == "a.example:1,b.example:2" and done.json["restart"] is False
    OUTPUTS["config set"].check({k: v for k, v in done.json.items() if k != "v"}, "config set")
    assert load(home / "config.toml").advertise == ("a.example:1", "b.example:2")
    got = p2pchat("--json", "config", "get", "advertise").json
    OUTPUTS["config get"].check({k: v for k, v in got.items() if k != "v"}, "config get")
    assert (got["value"], got["default"]) == ("a.example:1,b.example:2", "")


def test_what_get_prints_set_takes(home: Path) -> None:
    for line in p2pchat("--json", "config", "list").lines:
        assert p2pchat("config", "set", line["key"], line["value"]).status == 0
    assert load(home / "config.toml") == load(home / "none")


def test_list_names_every_setting(home: Path) -> None:
    assert [line["key"] for line in p2pchat("--json", "config", "list").lines] == sorted(KEYS)
    assert p2pchat("config", "list").out.count("\n") == len(KEYS)


def test_path_names_the_file(home: Path) -> None:
    assert p2pchat("--json", "config", "path").json == {"v": 1, "path": str(home / "config.toml")}


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["get", "nonsense"], 5),
        (["set", "nonsense", "1"], 5),
        (["set", "receipts", "maybe"], 1),
        (["set", "listen", "nowhere"], 1),
        (["set", "receipts"], 2),
        (["get", ""], 2),
    ],
)
def test_ill_words_are_refused_and_nothing_changes(home: Path, words: list[str], status: int) -> None:
    assert p2pchat("config", *words).status == status
    assert not (home / "config.toml").exists()


def test_a_running_daemon_is_told(fake: FakeDaemon, home: Path) -> None:
    answer = {"key": "listen", "value": "0.0.0.0:9000", "default": "0.0.0.0:0", "help": "where", "restart": True}
    fake.answers["config.set"] = answer
    done = p2pchat("config", "set", "listen", "0.0.0.0:9000")
    assert fake.calls == [("config.set", {"key": "listen", "value": "0.0.0.0:9000"})]
    assert "p2pchat daemon start" in done.err


def test_a_name_to_advertise_is_pointed_out_because_no_peer_looks_it_up(home: Path) -> None:
    done = p2pchat("config", "set", "advertise", "192.0.2.7:9,chat.example.org:9")
    assert done.status == 0
    assert done.err == "nobody looks up a name on a card: give the IP address of chat.example.org:9\n"
    assert p2pchat("config", "set", "advertise", "").err == ""
