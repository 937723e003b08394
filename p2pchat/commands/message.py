"""``message show|withdraw``."""

from typing import cast

import click

from p2pchat.commands import candidates
from p2pchat.commands.arguments import message_argument
from p2pchat.commands.ask import Row, ask
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.history import print_history_row
from p2pchat.commands.layout import when
from p2pchat.commands.output import print_folded, print_json, print_line
from p2pchat.show import show, show_name

message = Noun(
    "message",
    help="Show or withdraw one message. ID is the message id that `send` printed, or its first characters.",
    examples=("p2pchat message show 5f0c4c1e", "p2pchat message withdraw 5f0c4c1e"),
)


@message.verb("show", "p2pchat message show 5f0c4c1e", "p2pchat message show 5f0c4c1e --json | jq .recipients")
@click.argument("id_", metavar="ID", shell_complete=candidates.messages)
@pass_settings
def show_(settings: Settings, id_: str) -> None:
    """Show one message and how far it came."""
    _print(settings, ask(settings, "message.show", {"message": message_argument(id_)}))


@message.verb("withdraw", "p2pchat message withdraw 5f0c4c1e", "p2pchat message withdraw 5f0c4c1e --json")
@click.argument("id_", metavar="ID", shell_complete=candidates.messages)
@pass_settings
def withdraw(settings: Settings, id_: str) -> None:
    """Take an own message back.

    What was not delivered is cancelled. Otherwise the recipient's program is asked to hide it; who has read it has
    read it.
    """
    _print(settings, ask(settings, "message.withdraw", {"message": message_argument(id_)}))


def _print(settings: Settings, row: Row) -> None:
    if settings.json:
        print_json(row)
        return
    print_line(str(row["message"]))
    print_history_row(row)
    for to in cast(list[Row], row["recipients"]):
        reason = f": {show(str(to['reason']))}" if to.get("reason") else ""
        print_folded(f"to {show_name(None, str(to['id']))} {to['state']}{reason}")
    for name in ("received_ms", "expires_ms"):
        moment = row[name]
        if isinstance(moment, int):
            print_line(f"{name.removesuffix('_ms')} {when(moment)}")
