"""TCP for the gate: the one place that opens network sockets (``env.Net``)."""

import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import Sequence
from typing import Final

import trio

from p2pchat.env import StreamListener
from p2pchat.errors import Failed, Unreachable

DIAL_S: Final = 10.0
BACKLOG: Final = 1024  # a crowd that comes at once must not make the kernel drop a friend's first packet
OWN_NAME_S: Final = 2.0  # the resolver may ask the network for the host's own name
ACCEPT_PAUSE_S: Final = 0.1  # where descriptors run out: let some connections end first
_TYPE: Final = "p2pchat contact address PEER HOST:PORT"
_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class TcpListener:
    """One bound socket. ``address`` is (host, port) as bound."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        self._sock = sock
        host, port = sock.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)

    async def accept(self) -> tuple[trio.SocketStream, str]:
        """The next stream and the host it comes from. A connection that ended while it waited is passed over."""
        while True:
            try:
                sock, remote = await self._sock.accept()
            except OSError as error:
                if error.errno in _FULL:
                    await trio.sleep(ACCEPT_PAUSE_S)
                elif error.errno in {errno.EBADF, errno.ENOTSOCK, errno.EINVAL}:
                    raise trio.ClosedResourceError from error
                continue
            return trio.SocketStream(sock), str(remote[0])  # SocketStream sets TCP_NODELAY

    async def aclose(self) -> None:
        self._sock.close()
        await trio.lowlevel.checkpoint()


class TcpNet:
    """``env.Net`` over trio's sockets. Hosts are IP literals, or names that are resolved here and now."""

    async def dial(self, host: str, port: int) -> trio.SocketStream:
        """Connect within 10 s. Raises Unreachable."""
        try:
            with trio.fail_after(DIAL_S):
                return await trio.open_tcp_stream(host, port)
        except trio.TooSlowError:
            raise Unreachable(f"{host} port {port} did not answer within {DIAL_S:.0f} s") from None
        except OSError as error:
            raise Unreachable(f"cannot reach {host} port {port}: {_words(error)}") from error

    async def listen(self, host: str, port: int) -> list[StreamListener]:
        """Bind ``host`` (an IP literal or a name; ``0.0.0.0`` and ``::`` mean all). Raises Failed."""
        try:
            families = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise Failed(f"cannot listen on {host}: {_words(error)}", hint="p2pchat config get listen") from error
        family, _, _, _, address = families[0]
        return [TcpListener(await _bind(family, address, host, port))]

    async def resolve(self, host: str) -> list[str]:
        """The IP addresses of a name, for addresses that the user typed. Raises Unreachable."""
        try:
            found = await trio.socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"cannot find the address of {host}: {_words(error)}", hint=_TYPE) from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def local_addresses(self) -> list[str]:
        """Addresses of this host that others may reach, IPv4 first: those it would send from. No packet is sent.

        A host with no way out (a LAN without a router) still has the addresses of its own name, if the system finds
        them within 2 s.
        """
        routed = [_source_address(socket.AF_INET, "192.0.2.1"), _source_address(socket.AF_INET6, "2001:db8::1")]
        return [address for address in routed if address is not None] or await _own_name_addresses()


async def _bind(
    family: int, address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes], host: str, port: int
) -> trio.socket.SocketType:
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # "::" serves both families, where the system allows it
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        await sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        hint = "p2pchat daemon start --listen HOST:PORT"
        if error.errno == errno.EADDRINUSE:
            raise Failed(f"port {port} is in use on {host}", hint=hint) from error
        raise Failed(f"cannot listen on {host} port {port}: {_words(error)}", hint=hint) from error
    return sock


def _source_address(family: int, towards: str) -> str | None:
    """The address that the routing table would pick towards a documentation address (RFC 5737, RFC 3849)."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((towards, 9))
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return address if _useful(address) else None


async def _own_name_addresses() -> list[str]:
    found: Sequence[tuple[object, object, int, str, tuple[object, ...]]] = []
    with trio.move_on_after(OWN_NAME_S), contextlib.suppress(OSError):
        found = await trio.socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found if _useful(str(entry[4][0]))]


def _useful(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return not (parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local)


def _words(error: BaseException) -> str:
    if isinstance(error, UnicodeError):
        return "no host can have this name"
    causes = error.__cause__
    if isinstance(causes, BaseExceptionGroup):  # trio's own words say no more than that all attempts failed
        return ", ".join(dict.fromkeys(_reason(cause) for cause in causes.exceptions))
    return str(getattr(error, "strerror", None) or error)


def _reason(error: BaseException) -> str:
    """The system's word for the error number: trio puts the address before it, which stands beside it already."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
