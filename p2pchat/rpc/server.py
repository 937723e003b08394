"""Serves a method table on an inherited listener: the vault's ``rpc.sock`` and the gate's ``gate.sock``.

Only the user's own processes are served, 64 at a time. Everything is bounded before it is parsed (walls 4.1). The
expected error of a handler goes to its caller; any other exception is a bug: its traceback goes to the log, and the
daemon goes on.
"""

import os
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import trio

from p2pchat.errors import RateLimited
from p2pchat.limits import RPC_CLIENTS
from p2pchat.rpc import answers
from p2pchat.rpc.conversation import WRITE_S, Conversation, Handler
from p2pchat.rpc.methods import METHODS
from p2pchat.token_bucket import allowance


async def serve(
    listener: socket.socket,
    handlers: Mapping[str, Handler],
    *,
    log_file: str,
    calls_per_minute: int,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. ``listener`` is bound and listening; ``log_file`` is named to whoever meets a bug.

    ``calls_per_minute`` bounds one connection, a minute's worth at once; 0: no bound.
    """
    assert handlers.keys() <= METHODS.keys()
    listener.setblocking(False)
    service = _Service(handlers, log_file, calls_per_minute)
    await trio.serve_listeners(
        service.serve_client,
        [trio.SocketListener(trio.socket.from_stdlib_socket(listener))],
        task_status=task_status,  # type: ignore[arg-type] # the listeners it reports are ours already
    )


@dataclass(slots=True)
class _Service:
    handlers: Mapping[str, Handler]
    log_file: str
    calls_per_minute: int
    clients: int = 0

    async def serve_client(self, stream: trio.SocketStream) -> None:
        """One client from its first to its last byte. Never raises for anything that the client does."""
        self.clients += 1
        try:
            async with stream:
                if _peer_uid(stream.socket) != os.geteuid():
                    return
                if self.clients > RPC_CLIENTS:
                    refusal = RateLimited(f"{RPC_CLIENTS} programs talk to the daemon already", hint="end one of them")
                    with trio.fail_after(WRITE_S):
                        await stream.send_all(answers.error_response(None, answers.APPLICATION_ERROR, refusal))
                    return
                bound = allowance(self.calls_per_minute, every_s=60, now_s=trio.current_time())
                await Conversation(stream, self.handlers, bound, self.log_file).run()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return  # it went away, or does not read
        finally:
            self.clients -= 1


def _peer_uid(sock: trio.socket.SocketType) -> int:
    """User id of the process at the other end, told by the kernel."""
    if sys.platform == "darwin":
        sol_local, local_peercred, xucred = 0, 1, "=II"  # sys/un.h; struct xucred begins with version and uid
        return int(struct.unpack(xucred, sock.getsockopt(sol_local, local_peercred, struct.calcsize(xucred)))[1])
    ucred = struct.Struct("=iII")  # pid, uid, gid
    return int(ucred.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, ucred.size))[1])
