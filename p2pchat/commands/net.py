"""``net status``: where the gate listens, which links stand, and what is being done for those that do not."""

from collections.abc import Mapping

from p2pchat.commands.ask import Row, ask, ask_list
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.layout import print_fields, print_table
from p2pchat.commands.output import print_json, print_line
from p2pchat.errors import P2PChatError

_COLUMNS = ("id", "name", "state", "carrier", "address", "since_ms", "next_try_ms", "reason")

net = Noun(
    "net",
    help="The gate: listening sockets, links, dialling.",
    examples=("p2pchat net status", "p2pchat net status --json | jq '.peers[] | select(.state != \"linked\")'"),
)


@net.verb("status", "p2pchat net status", "p2pchat net status --json | jq .reachable")
@pass_settings
def status(settings: Settings) -> None:
    """Show where the gate listens, its links, and when it tries again where there is none, and why."""
    gate = ask(settings, "net.status", socket="gate")
    peers = list(ask_list(settings, "net.peers", socket="gate"))
    if settings.json:
        print_json({**gate, "peers": peers})
        return
    print_fields(settings, gate)
    if peers:
        print_line("")
        names = _names(settings)
        print_table(settings, [{**peer, "name": names.get(str(peer["id"]))} for peer in peers], _COLUMNS)


def _names(settings: Settings) -> Mapping[str, object]:
    """The vault knows names, the gate only IDs; where the vault does not answer, IDs will do."""
    try:
        return {str(row["id"]): _name(row) for row in ask_list(settings, "contact.list")}
    except P2PChatError:
        return {}


def _name(row: Row) -> object:
    return row["alias"] or row["nickname"]
