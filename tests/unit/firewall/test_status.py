"""What the gate tells the user of itself: links, dialling, half-open visitors, clock, counts."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import BadFormat
from p2pchat.firewall import gate
from p2pchat.firewall.clock_watch import EARLIEST_MS, LATEST_MS, STEP_MS, ClockWatch
from p2pchat.ids import UserId, user_id_text
from p2pchat.rpc.methods import METHODS, checked_params
from p2pchat.rpc.server import Handler
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Role
from tests.support.gates import peer, running, still_world, user, want

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


class Asked:
    """The handlers of the gates' sockets, in the order in which the gates started; answers fit the method table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables: list[Mapping[str, Handler]] = []

        async def keep(_listener: object, methods: Mapping[str, Handler], _log_file: object) -> None:
            self.tables.append(methods)
            await trio.sleep_forever()

        monkeypatch.setattr(gate, "_serve_rpc", keep)

    async def call(self, gate_: int, method: str, **params: object) -> dict[str, Any]:
        result = await self.tables[gate_][method](checked_params(method, params))  # type: ignore[arg-type]
        METHODS[method].result.check(json.loads(json.dumps(result)), method)
        return dict(result)

    async def peers(self, gate_: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call(gate_, "net.peers"))["items"]
        return items

    async def numbers(self, gate_: int) -> dict[tuple[str, ...], int]:
        found = (await self.call(gate_, "net.metrics"))["metrics"]
        assert "pc1" not in json.dumps(found) and "10.0.0" not in json.dumps(found)
        return {(s["name"].removeprefix("p2pchat_"), *s["labels"].values()): s["value"] for s in found}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


async def test_a_link_that_stands(autojump_clock: MockClock, asked: Asked) -> None:
    world = still_world()
    async with running(world, 0, A, rpc=object()) as one, running(world, 1, B, rpc=object()) as other:
        await other.vault.say(peer(0))
        await one.vault.say(peer(1, (B, 4000)), want(1))
        await one.vault.wait(boundary.Up)
        await other.vault.wait(boundary.Up)
        await trio.sleep(10)
        (mine,), (theirs,) = await asked.peers(0), await asked.peers(1)
        assert mine["id"] == user_id_text(user(1)) and theirs["id"] == user_id_text(user(0))
        assert (mine["state"], mine["path"], mine["carrier"], mine["dialled"]) == ("linked", "direct", "ws", True)
        assert (mine["address"], mine["next_try_ms"], mine["reason"]) == (f"{B}:4000", None, "")
        assert (theirs["dialled"], theirs["address"]) == (False, A)
        assert one.clock.wall_ms() - 11_000 < mine["since_ms"] <= one.clock.wall_ms() - 10_000
        told = await asked.call(0, "net.status")
        assert told["listen"] == told["reachable"] == [f"{A}:4000"]
        assert (told["links"], told["half_open"], told["clock"]) == (1, 0, "ok")
        mine_n, theirs_n = await asked.numbers(0), await asked.numbers(1)
        assert mine_n["links", "contact", "ws"] == theirs_n["links", "contact", "ws"] == 1
        assert mine_n["dials", "linked"] == 1
        assert mine_n["handshakes_total", "initiator", "ok"] == theirs_n["handshakes_total", "responder", "ok"] == 1


async def test_bytes_are_those_of_both_ends_and_survive_the_link(autojump_clock: MockClock, asked: Asked) -> None:
    world = still_world()
    async with running(world, 0, A, rpc=object()) as one, running(world, 1, B, rpc=object()) as other:
        await other.vault.say(peer(0))
        await one.vault.say(peer(1, (B, 4000)), want(1))
        up = await one.vault.wait(boundary.Up)
        await one.vault.say(boundary.Cut(link=up.link, reason=boundary.Reason.IDLE), want(1, 0))
        await other.vault.wait(boundary.Down)
        await trio.sleep(5)
        mine, theirs = await asked.numbers(0), await asked.numbers(1)
        assert mine["link_bytes_total", "sent"] == theirs["link_bytes_total", "received"] > 0
        assert mine["links_ended_total", "idle"] == 1 and theirs["links_ended_total", "closed"] == 1
        assert not [name for name in mine if name[0] == "links"]


async def test_a_peer_that_nobody_answers_for(autojump_clock: MockClock, asked: Asked) -> None:
    async with running(still_world(), 0, A, rpc=object()) as one:
        await one.vault.say(peer(1, (B, 4000)), want(1))
        told = await one.vault.wait(boundary.Cannot)
        (waiting,) = await asked.peers(0)
        assert waiting["state"] == "waiting" and waiting["reason"] == told.reason != ""
        assert abs(waiting["next_try_ms"] - told.retry_ms) <= 1
        assert (waiting["path"], waiting["address"], waiting["since_ms"], waiting["dialled"]) == (
            "none",
            None,
            None,
            None,
        )
        assert (await asked.numbers(0))["handshakes_total", "initiator", "unreachable"] == 1
        await trio.sleep(600)
        (probing,) = await asked.peers(0)
        assert probing["state"] == "probing" and probing["next_try_ms"] > one.clock.wall_ms()


async def test_a_peer_without_an_address_that_may_be_dialled(autojump_clock: MockClock, asked: Asked) -> None:
    async with running(still_world(), 0, "203.0.113.1", rpc=object()) as one:
        await one.vault.say(peer(1, ("127.0.0.1", 4000)), want(1), peer(2), want(2))
        await one.vault.wait(boundary.Cannot, lambda cannot: cannot.user == user(2))
        refused = {row["id"]: row for row in await asked.peers(0)}
        assert {row["state"] for row in refused.values()} == {"refused"}
        assert "loopback" in refused[user_id_text(user(1))]["reason"]
        assert refused[user_id_text(user(2))]["reason"] == "no address is known"
        assert all(row["next_try_ms"] is None for row in refused.values())


async def test_a_visitor_who_proves_nothing(autojump_clock: MockClock, asked: Asked) -> None:
    world = still_world()
    async with running(world, 0, A, rpc=object(), carriers=("raw",)):
        idle = await world.hosts.setdefault(C, type(world.hosts[A])(world, C)).dial(A, 4000)
        await trio.sleep(1)
        assert (await asked.call(0, "net.status"))["half_open"] == 1
        await trio.sleep(20)
        assert (await asked.call(0, "net.status"))["half_open"] == 0
        assert (await asked.numbers(0))["handshakes_total", "responder", "timeout"] == 1
        await idle.aclose()
        loud = await world.hosts[C].dial(A, 4000)
        await loud.send_all(bytes(3000))
        await trio.sleep(20)
        numbers = await asked.numbers(0)
        assert numbers["handshakes_total", "responder", "timeout"] == 1, "one visitor is counted once"
        assert sum(count for name, count in numbers.items() if name[0] == "handshakes_total") == 2


async def test_strangers_to_the_web_server_are_counted_and_are_no_handshakes(
    autojump_clock: MockClock, asked: Asked
) -> None:
    world = still_world()
    async with running(world, 0, A, rpc=object()):
        visitor = world.hosts.setdefault(C, type(world.hosts[A])(world, C))
        for words in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01", bytes(3000)):
            stream = await visitor.dial(A, 4000)
            await stream.send_all(words)
            await trio.sleep(20)
            await stream.aclose()
        numbers = await asked.numbers(0)
        assert numbers["strangers_total",] == 3
        assert not [name for name in numbers if name[0] == "handshakes_total"]


async def test_many_peers_come_in_pages_and_by_id(autojump_clock: MockClock, asked: Asked) -> None:
    async with running(still_world(), 0, A, rpc=object()) as one:
        users = sorted(UserId(bytes([n]) * 32) for n in range(1, 131))
        for who in users:
            stranger = boundary.Peer(user=who, role=Role.CONTACT, key_log=b"", device_set=b"", records=(), lan=False)
            await one.vault.say(stranger, boundary.Want(user=who, until_ms=boundary.FOREVER_MS))
        await one.vault.wait(boundary.Cannot, lambda cannot: cannot.user == users[-1])
        ids, page = list[str](), {}
        while True:
            answer = await asked.call(0, "net.peers", **page)
            ids += [row["id"] for row in answer["items"]]
            if answer["next"] is None:
                break
            page = {"page": answer["next"]}
        assert ids == [user_id_text(who) for who in users]
        assert (await asked.numbers(0))["dials", "refused"] == len(users)
        for ill in ("x", "-1", "9" * 10):
            with pytest.raises(BadFormat):
                await asked.call(0, "net.peers", page=ill)


def test_the_clock_s_verdict() -> None:
    now_ms = 1_800_000_000_000
    watch = ClockWatch(wall_ms=now_ms, boot_s=100.0)
    assert watch.verdict(wall_ms=now_ms + 7_200_000, boot_s=7300.0) == "ok"
    assert watch.verdict(wall_ms=now_ms + STEP_MS, boot_s=100.0) == "ok"
    assert watch.verdict(wall_ms=now_ms + STEP_MS + 1, boot_s=100.0) == "stepped"
    assert watch.verdict(wall_ms=now_ms, boot_s=7300.0) == "stepped"
    for ill in (0, EARLIEST_MS - 1, LATEST_MS + 1):
        assert watch.verdict(wall_ms=ill, boot_s=100.0) == "wrong"
