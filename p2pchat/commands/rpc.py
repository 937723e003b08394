"""``rpc call|schema``: the socket's methods without a verb around them."""

import json
import sys

import click

from p2pchat.commands import candidates
from p2pchat.commands.ask import ask
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.output import json_line, print_json
from p2pchat.errors import BadFormat, Usage
from p2pchat.limits import RPC_LINE_BYTES

rpc = Noun(
    "rpc",
    help="Call the daemon's methods directly, or print what they take and give.",
    examples=("p2pchat rpc call status", "p2pchat rpc schema | jq .methods.send"),
)


@rpc.verb("call", "p2pchat rpc call status", 'p2pchat rpc call contact.show \'{"peer": "bob"}\'')
@click.argument("method", shell_complete=candidates.methods)
@click.argument("params", metavar="[JSON]", required=False)
@pass_settings
def call(settings: Settings, method: str, params: str | None) -> None:
    """Call METHOD with the parameters of a JSON object (`-`: from stdin)."""
    from p2pchat.rpc import jsonlines
    from p2pchat.rpc.methods import METHODS

    if method not in METHODS:
        raise Usage(f"there is no method {method}", hint="p2pchat rpc schema")
    raw = sys.stdin.buffer.read(RPC_LINE_BYTES + 1) if params == "-" else (params or "{}").encode(errors="replace")
    given = jsonlines.decode(raw)
    if not isinstance(given, dict):
        raise BadFormat("parameters are a JSON object", hint=f"p2pchat rpc call {method} '{{}}'")
    wait_ms = given.get("wait_ms", 0)
    wait_s = min(wait_ms, 60_000) / 1000 if isinstance(wait_ms, int) else 0.0
    print_json(ask(settings, method, given, socket=METHODS[method].socket, wait_s=wait_s))


@rpc.verb("schema", "p2pchat rpc schema", "p2pchat rpc schema | jq -r '.methods | keys[]'")
@pass_settings
def schema(settings: Settings) -> None:
    """Print JSON Schemas of all methods, of what each verb prints under --json, and the error codes."""
    from p2pchat.rpc.schema import schema as describe

    shape = describe()
    print(json_line(shape) if settings.json else json.dumps({"v": 1, **shape}, indent=2))
