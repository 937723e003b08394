"""``outbox list|show|retry|cancel``."""

import click

from p2pchat.commands import candidates
from p2pchat.commands.arguments import message_argument
from p2pchat.commands.ask import ask_list, given
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.layout import print_table

_COLUMNS = ("message", "to", "state", "reason", "next_try_ms", "queued_ms", "size_bytes")

outbox = Noun(
    "outbox",
    help="See and steer what is not delivered yet.",
    examples=("p2pchat outbox list", "p2pchat outbox cancel 5f0c4c1e"),
)


@outbox.verb("list", "p2pchat outbox list", "p2pchat outbox list --json | jq -r .reason")
@pass_settings
def list_(settings: Settings) -> None:
    """List what waits, oldest first."""
    _print(settings, "list", None)


@outbox.verb("show", "p2pchat outbox show 5f0c4c1e", "p2pchat outbox show 5f0c4c1e --json")
@click.argument("id_", metavar="ID", shell_complete=candidates.waiting)
@pass_settings
def show(settings: Settings, id_: str) -> None:
    """Show what still waits of one message."""
    _print(settings, "show", id_)


@outbox.verb("retry", "p2pchat outbox retry", "p2pchat outbox retry 5f0c4c1e")
@click.argument("id_", metavar="[ID]", required=False, shell_complete=candidates.waiting)
@pass_settings
def retry(settings: Settings, id_: str | None) -> None:
    """Try to deliver now: one message, or all that wait."""
    _print(settings, "retry", id_)


@outbox.verb("cancel", "p2pchat outbox cancel 5f0c4c1e", "p2pchat outbox cancel 5f0c4c1e --json")
@click.argument("id_", metavar="ID", shell_complete=candidates.waiting)
@pass_settings
def cancel(settings: Settings, id_: str) -> None:
    """Give up what is not delivered of one message."""
    _print(settings, "cancel", id_)


def _print(settings: Settings, verb: str, id_: str | None) -> None:
    message = None if id_ is None else message_argument(id_)
    print_table(settings, ask_list(settings, f"outbox.{verb}", given(message=message)), _COLUMNS)
