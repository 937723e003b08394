"""Calls to the daemon, as the verbs make them."""

import time
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias, cast

from p2pchat.commands.frame import Settings
from p2pchat.commands.output import say
from p2pchat.errors import NoDaemon
from p2pchat.rpc.client import Client
from p2pchat.rpc.jsonlines import Json

Socket: TypeAlias = Literal["rpc", "gate"]
Row: TypeAlias = dict[str, Json]
_NOTHING: Final[Mapping[str, object]] = {}


def ask(
    settings: Settings,
    method: str,
    params: Mapping[str, object] = _NOTHING,
    *,
    socket: Socket = "rpc",
    wait_s: float = 0.0,
) -> Row:
    """The method's result. ``wait_s`` is how long the daemon itself is asked to wait.

    Raises what the daemon answers, or NoDaemon.
    """
    began_s = time.monotonic()
    try:
        return client(settings, socket).call(method, wait_s=wait_s, **params)
    except NoDaemon as error:
        raise no_daemon(settings) from error
    finally:
        if settings.verbose:
            say(settings, f"{method}: {(time.monotonic() - began_s) * 1000:.1f} ms")


def ask_list(
    settings: Settings, method: str, params: Mapping[str, object] = _NOTHING, *, socket: Socket = "rpc"
) -> Iterator[Row]:
    """The items of all pages, each page asked for when it is needed."""
    answer = ask(settings, method, params, socket=socket)
    while True:
        yield from cast(list[Row], answer["items"])
        if answer["next"] is None:
            return
        answer = ask(settings, method, {**params, "page": answer["next"]}, socket=socket)


def given(**params: object) -> dict[str, object]:
    """The parameters that the user did give: those that are not None. A final underscore is dropped (``from_``)."""
    return {name.rstrip("_"): value for name, value in params.items() if value is not None}


def client(settings: Settings, socket: Socket = "rpc") -> Client:
    """The connection that this verb keeps for its calls."""
    if socket not in settings.clients:
        home = settings.home
        settings.clients[socket] = Client(home.rpc_sock if socket == "rpc" else home.gate_sock)
    return settings.clients[socket]


def no_daemon(settings: Settings) -> NoDaemon:
    """Not running; where there is nothing to run yet, the hint says what comes first."""
    from p2pchat.launch.lock import holder

    home = settings.home
    if not home.has_identity:
        return NoDaemon("the daemon is not running", hint="p2pchat init")
    if pid := holder(home.lock_file):
        what = f"a daemon is running (process {pid}), but nobody listens at {home.rpc_sock}"
        return NoDaemon(f"{what}: it starts or ends, or somebody removed the socket", hint="p2pchat daemon stop")
    return NoDaemon("the daemon is not running", hint="p2pchat daemon start")
