"""The vault's methods of the control socket: thin. Parameters arrive checked (rpc/methods.py), rules are in flows."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from p2pchat.rpc.conversation import Handler, Pipelined
from p2pchat.vault.flows import replaced
from p2pchat.vault.methods import compare, contact, event, key, message, metrics, own, requests, send, verify
from p2pchat.vault.node import Node

Method = Callable[[Node, dict[str, Any]], Awaitable[Mapping[str, object]]]

_METHODS: Mapping[str, Method] = {
    "message.wait": send.wait,
    "message.show": message.show,
    "message.withdraw": message.withdraw,
    "history": message.history,
    "outbox.list": message.outbox_list,
    "outbox.show": message.outbox_show,
    "outbox.retry": message.outbox_retry,
    "outbox.cancel": message.outbox_cancel,
    "event.next": event.next_events,
    "event.failed": event.failed,
    "contact.card": requests.card,
    "contact.add": requests.add,
    "contact.requests": requests.listed,
    "contact.accept": requests.accept,
    "contact.reject": requests.reject,
    "contact.list": contact.listed,
    "contact.show": contact.show,
    "contact.alias": contact.alias,
    "contact.block": contact.block,
    "contact.retry": contact.retry,
    "contact.unblock": contact.unblock,
    "contact.remove": contact.remove,
    "contact.verify": verify.verify,
    "compare.begin": compare.begin,
    "compare.wait": compare.wait,
    "compare.answer": compare.answer,
    "key.show": key.show,
    "key.backup": key.backup,
    "key.verified": key.verified,
    "key.passwd": key.passwd,
    "key.rotate": key.rotate,
    "whoami": own.whoami,
    "status": own.status,
    "metrics": metrics.metrics,
    "store.check": own.store_check,
    "daemon.status": own.daemon_status,
    "daemon.stop": own.daemon_stop,
    "config.list": own.config_list,
    "config.get": own.config_get,
    "config.set": own.config_set,
}


# What only a device with links can do (flows/replaced.py).
_LINKED: Final = {"contact.card", "contact.add", "contact.accept", "contact.retry", "compare.begin", "message.withdraw"}


def table(node: Node) -> dict[str, Handler]:
    """Handlers by method name, bound to one node."""
    found: dict[str, Handler] = {name: partial(method, node) for name, method in _METHODS.items()}
    found |= {name: partial(_linked, node, _METHODS[name]) for name in _LINKED}
    return found | {"send": Pipelined(partial(send.send, node), alone=frozenset({"wait"}))}


async def _linked(node: Node, method: Method, params: dict[str, Any]) -> Mapping[str, object]:
    replaced.refuse(node)
    return await method(node, params)
