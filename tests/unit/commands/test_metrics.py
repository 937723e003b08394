"""``metrics`` and ``net status`` as they are printed."""

from typing import Any

from p2pchat.rpc.schema import OUTPUTS
from tests.support.answers import CONTACT, page
from tests.support.command_line import p2pchat
from tests.support.fake_daemon import BOB, FakeDaemon

NET = {
    "listen": ["0.0.0.0:9000"],
    "carriers": ["raw"],
    "reachable": ["192.0.2.7:9000"],
    "links": 0,
    "half_open": 0,
    "half_open_limit": 256,
    "clock": "ok",
}
PEER: dict[str, Any] = {
    "id": BOB,
    "state": "waiting",
    "path": "none",
    "carrier": "none",
    "dialled": None,
    "address": None,
    "since_ms": None,
    "next_try_ms": 1_800_000_000_000,
    "reason": "nobody\x1b[2J",
}


def test_both_processes_stand_in_one_page(fake: FakeDaemon) -> None:
    def cpu(process: str) -> dict[str, Any]:
        return {"name": "p2pchat_cpu_seconds_total", "labels": {"process": process}, "value": 1_500_000}

    fake.answers |= {"metrics": {"metrics": [cpu("vault")]}, "net.metrics": {"metrics": [cpu("gate")]}}
    done = p2pchat("metrics")
    assert done.out.splitlines()[1:] == [
        "# TYPE p2pchat_cpu_seconds_total counter",
        'p2pchat_cpu_seconds_total{process="vault"} 1.5',
        'p2pchat_cpu_seconds_total{process="gate"} 1.5',
    ]
    lines = p2pchat("metrics", "--json").lines
    assert [(line["labels"], line["value"]) for line in lines] == [
        ({"process": "vault"}, 1.5),
        ({"process": "gate"}, 1.5),
    ]
    for line in lines:
        OUTPUTS["metrics"].check({name: value for name, value in line.items() if name != "v"}, "metrics")


def test_net_status_is_one_object(fake: FakeDaemon) -> None:
    fake.answers |= {"net.status": NET, "net.peers": page(PEER)}
    done = p2pchat("net", "status", "--json")
    assert done.json == {"v": 1, **NET, "peers": [PEER]}
    OUTPUTS["net status"].check({name: value for name, value in done.json.items() if name != "v"}, "net status")
    assert [method for method, _ in fake.calls] == ["net.status", "net.peers"]


def test_net_status_for_people_names_the_contacts(fake: FakeDaemon) -> None:
    fake.answers |= {"net.status": NET, "net.peers": page(PEER), "contact.list": page(CONTACT)}
    out = p2pchat("net", "status").out
    assert "reachable        192.0.2.7:9000" in out
    row = out.splitlines()[-1]
    assert row.startswith(f"{BOB[:11]}  bob<U+001B>[2J  waiting") and row.endswith("nobody<U+001B>[2J")
    assert "\x1b" not in out


def test_net_status_without_links_or_names(fake: FakeDaemon) -> None:
    fake.answers |= {"net.status": NET, "net.peers": {"items": [], "next": None}}
    done = p2pchat("net", "status")
    assert (done.status, done.err) == (0, "") and done.out.splitlines()[-1].endswith("ok")
    fake.answers["net.peers"] = page(PEER)
    fake.answers["contact.list"] = lambda _: (_ for _ in ()).throw(_failed())
    assert p2pchat("net", "status").out.splitlines()[-1].startswith(f"{BOB[:11]}  -")


def _failed() -> Exception:
    from p2pchat.errors import Failed

    return Failed("no")
