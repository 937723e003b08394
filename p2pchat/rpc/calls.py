"""The client's half of JSON-RPC 2.0: requests out, responses in. No I/O."""

from collections.abc import Mapping

from p2pchat.errors import BadFormat, from_json
from p2pchat.rpc.jsonlines import Json, encode


def request(id_: int, method: str, params: Mapping[str, object]) -> bytes:
    """One line. Raises BadFormat where the parameters do not fit into it."""
    return encode({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})


def read_response(value: Json, id_: int) -> dict[str, Json]:
    """The result. Raises the error that the other side told, or BadFormat for an answer to something else."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise BadFormat("the daemon's answer is no JSON-RPC 2.0 response", hint="p2pchat version")
    error, result = value.get("error"), value.get("result")
    if isinstance(error, dict):
        data = error.get("data")
        raise from_json(data if isinstance(data, dict) else {"message": error.get("message")})
    if value.get("id") != id_ or not isinstance(result, dict):
        raise BadFormat("the daemon answered another request", hint="p2pchat version")
    return result
