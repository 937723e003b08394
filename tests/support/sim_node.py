"""A whole node in one nursery: vault and gate joined by a bounded pipe, over all its lives.

``vault.app.main`` and ``firewall.gate.main`` run as they are. A crash freezes disk, net and boundary first and cancels
then, so that no ``finally`` of a dead process reaches the world.
"""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, Protocol

import trio

from p2pchat.build import build_hash
from p2pchat.config import KEYS, Config, Value
from p2pchat.env import CryptoDraws, Disk, Env
from p2pchat.firewall import gate
from p2pchat.firewall.gate import GateSettings
from p2pchat.home import Home
from p2pchat.rpc.conversation import Handler
from p2pchat.rpc.methods import checked_params
from p2pchat.vault import app
from p2pchat.wire.own_files import GateSecrets, VaultSecrets
from tests.support.sim_env import SimClock, SlowWork, sim_env
from tests.support.sim_net import PORT, Host, World
from tests.support.sim_pipe import Pipe, PipeStream, stream_pair

BOUNDARY_BYTES: Final = 32 * 1024  # less than one window of frames: the pipe between the two fills up
DISK_S: Final = (0.0, 0.02)
RSA_S: Final = (0.0, 0.04)
STOP_S: Final = 2.0  # what the launcher gives its children

Kind = Literal["machine", "vault", "gate"]


class DiesDisk(Disk, Protocol):
    """A disk that a crash takes away from its process."""

    frozen: bool

    def crash(self) -> None: ...

    def thaw(self) -> None: ...

    def copy(self) -> Any: ...

    def put_back(self, copy: Any) -> None: ...

    def close(self) -> None: ...


class Down(Exception):
    """The node's life ended before it answered."""


class _Settings:
    """``Settings`` that nobody changes."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def current(self) -> Config:
        return self._config

    def change(self, name: str, text: str) -> Value:
        raise AssertionError("no simulated user changes settings")


class Process:
    """The vault or the gate in one life."""

    def __init__(self, name: str, end: PipeStream, disk: DiesDisk) -> None:
        self.name, self.end, self.disk = name, end, disk
        self.dead = False
        self.ended_at_s: float | None = None
        self.scope = trio.CancelScope()

    def kill(self) -> None:
        self.dead = True
        self.disk.crash()
        self.end.freeze()
        self.scope.cancel()

    async def run(self, main: Callable[[], Awaitable[None]]) -> str:
        """What went wrong with a process that nobody killed; empty where nothing did."""
        bug = ""
        with self.scope:
            try:
                await main()
            except* Exception as errors:  # noqa: BLE001 - a dying process may fail in any way, a living one must not
                bug = "" if self.dead else "".join(traceback.format_exception(errors))
        self.ended_at_s = trio.current_time()
        self.end.release()
        return bug


@dataclass(eq=False)
class Life:
    """One run of both processes."""

    vault: Process
    gate: Process
    host: Host
    handlers: Mapping[str, Handler] | None = None
    calls: dict[trio.CancelScope, None] = field(default_factory=dict)
    doom: tuple[str, Kind] | None = None  # (before | after the vault's next transaction, what dies)

    def hang_up(self) -> None:
        """Callers of the control socket see its end."""
        self.handlers = None
        for scope in self.calls:
            scope.cancel()


class SimNode:
    """One person's computer."""

    def __init__(
        self,
        world: World,
        index: int,
        secrets: tuple[VaultSecrets, GateSecrets],
        disks: tuple[DiesDisk, DiesDisk],
        crypto: CryptoDraws,
        seed: str,
    ) -> None:
        self.name: Final = f"10.0.{index + 1}.1"  # a /24 for each: the door counts visitors by it
        self.clock: Final = SimClock()
        self.life: Life | None = None
        self.lives = 0
        self.bugs: list[str] = []
        self.slow_stops: list[float] = []
        self._world = world
        self._random: Final = Random(f"{seed} disk of {index}")
        self._vault_secrets, self._gate_secrets = secrets
        self._vault_disk, self._gate_disk = disks
        self._crypto = crypto
        self._seed = seed
        folder = getattr(disks[0], "folder", Path(f"/{index}"))
        self._home = Home(folder, folder)
        self._gate_folder = getattr(disks[1], "folder", Path(f"/{index}"))
        defaults = {name: key.default for name, key in KEYS.items()}
        self._config = Config(**{**defaults, "receipts": index % 2 == 0})  # type: ignore[arg-type]

    @property
    def tells_reading(self) -> bool:
        """Whether this user lets contacts know what was read."""
        return self._config.receipts

    @property
    def up(self) -> bool:
        """Whether the control socket answers."""
        return self.life is not None and self.life.handlers is not None

    # --- the user ---------------------------------------------------------------------------------------------------

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """What the control socket answers. Raises Down, or the error that a user would see."""
        life = self.life
        if life is None or life.handlers is None:
            raise Down
        answer: Mapping[str, object] | None = None
        scope = trio.CancelScope()
        with scope:
            life.calls[scope] = None
            try:
                answer = await life.handlers[method](checked_params(method, params))  # type: ignore[arg-type]
            except Exception:
                if life.vault.dead:
                    raise Down from None
                raise
            finally:
                del life.calls[scope]
        if answer is None or life.vault.dead:
            raise Down
        return dict(answer)

    # --- lives and deaths -------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """One life, from the start of both processes to the end of both."""
        self.lives += 1
        self._vault_disk.thaw()
        self._gate_disk.thaw()
        host = self._world.host(self.name)
        near, far = stream_pair(self._boundary("vault"), self._boundary("gate"))
        life = Life(Process("vault", near, self._vault_disk), Process("gate", far, self._gate_disk), host)
        self.life = life
        self._note("start", str(self.lives))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run_vault, life)
            nursery.start_soon(self._run_gate, life)
        self.life = None
        self._note("end")

    def crash(self, kind: Kind) -> None:
        """At this very moment."""
        life = self.life
        if life is None:
            return
        self._note("crash", kind)
        life.doom = None
        if kind in {"machine", "gate"}:
            life.host.freeze()
            life.gate.kill()
        if kind in {"machine", "vault"}:
            life.vault.kill()
            life.hang_up()
        if kind == "gate":
            life.host.bury()  # its machine goes on and says so

    def doom(self, when: Literal["before", "after"], kind: Kind) -> None:
        """Crash at the vault's next transaction: just before it, or between the commit and what follows."""
        if self.life is not None:
            self.life.doom = (when, kind)

    def stop(self) -> None:
        """``daemon stop``: both processes are told to end in order."""
        life = self.life
        if life is None or life.vault.dead or life.gate.dead:
            return
        self._note("stop")
        life.vault.end.end_reading()
        life.gate.end.end_reading()

    def backup(self) -> Any:
        """A copy of the vault's store."""
        return self._vault_disk.copy()

    def restore(self, backup: Any) -> None:
        """Put a copy back while the node is down."""
        assert self.life is None
        self._note("put back")
        self._vault_disk.put_back(backup)

    def close(self) -> None:
        self._vault_disk.close()
        self._gate_disk.close()

    async def _run_vault(self, life: Life) -> None:
        async def serve(handlers: Mapping[str, Handler]) -> None:
            life.handlers = handlers
            await trio.sleep_forever()

        hooks = app.Hooks(
            serve=serve,
            ready=lambda: self._note("ready"),
            stop=self.stop,
            settings=_Settings(self._config),
            save=partial(self._save, life),
            launcher_pid=1,
        )
        env = self._env(life, "vault")
        await self._run(life.vault, partial(app.main, env, life.vault.end, self._vault_secrets, self._home, hooks))
        life.hang_up()

    async def _run_gate(self, life: Life) -> None:
        settings = GateSettings(
            build=build_hash(),
            listen=(f"{self.name}:{PORT}",),
            advertise=(),
            carriers=("ws",),
            gate_db=self._gate_folder / "gate.db",
            port_file=self._gate_folder / "port",
            log_file=self._gate_folder / "log",
            strangers_per_hour=self._config.strangers_per_hour,
            calls_per_minute=0,
        )
        env = self._env(life, "gate")
        await self._run(life.gate, partial(gate.main, env, life.gate.end, None, self._gate_secrets, settings))
        if not life.gate.dead:
            life.host.freeze()  # its process has ended: its sockets are gone
            life.host.bury()

    async def _run(self, process: Process, main: Callable[[], Awaitable[None]]) -> None:
        bug = await process.run(main)
        if bug:
            self._note("bug", process.name)
            self.bugs.append(f"{process.name} of {self.name}, life {self.lives}: {bug}")

    def _env(self, life: Life, process: Literal["vault", "gate"]) -> Env:
        vault = process == "vault"
        return sim_env(
            f"{self._seed} {process} {self.lives} of {self.name}",
            clock=self.clock,
            disk=self._vault_disk if vault else self._gate_disk,
            net=None if vault else life.host,
            crypto=self._crypto,
            work=SlowWork(lambda: self._random.uniform(*RSA_S)),
            db_work=SlowWork(lambda: self._random.uniform(*DISK_S), partial(self._strike, life) if vault else None),
        )

    def _strike(self, life: Life, when: str) -> None:
        if not life.vault.dead:
            self._note("commits", when)
            if life.doom is not None and life.doom[0] == when:
                self.crash(life.doom[1])

    def _save(self, life: Life, secrets: VaultSecrets) -> None:
        if life.vault.dead:
            raise OSError("the simulated disk is frozen: its node has crashed")
        self._vault_secrets = secrets

    def _boundary(self, writer: str) -> Pipe:
        return Pipe(capacity=BOUNDARY_BYTES, sent=lambda size: self._note(f"{writer} says", str(size)))

    def _note(self, what: str, detail: str = "") -> None:
        self._world.note(what, self.name, detail)
