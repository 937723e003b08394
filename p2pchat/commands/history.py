"""``history``: what was said with one contact."""

from typing import cast

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import text_argument
from p2pchat.commands.ask import Row, ask, ask_list, given
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_message
from p2pchat.commands.output import print_json
from p2pchat.errors import NotFound
from p2pchat.show import show_name


@verb("history", "p2pchat history bob --limit 20", "p2pchat history bob --search 'train' --json")
@click.argument("peer", shell_complete=candidates.contacts)
@click.option("--search", metavar="TEXT", help="Only messages that hold these words.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The last N messages.")
@pass_settings
def history(settings: Settings, peer: str, search: str | None, limit: int | None) -> None:
    """Print the messages with a contact, oldest first."""
    text_argument("a contact", peer, limits.NICKNAME_BYTES)
    if search is not None:
        text_argument("the search", search, 1024)
    rows = ask_list(settings, "history", given(peer=peer, search=search, last=limit))
    if settings.json:
        for row in rows:
            print_json(row)
        return
    name = _name(settings, peer)
    for row in rows:
        print_history_row(row, name)


def _name(settings: Settings, peer: str) -> str | None:
    """The alias or nickname of a contact; None of one who was removed."""
    try:
        contact = ask(settings, "contact.show", {"peer": peer})
    except NotFound:
        return None
    return cast(str | None, contact["alias"] or contact["nickname"])


def print_history_row(row: Row, sender: str | None = None) -> None:
    """One message for people; what happened to an own one stands beside it. ``sender``: what the peer is called."""
    name = f"me [{row['state']}]" if row["direction"] == "out" else show_name(sender, str(row["from"]))
    sent_ms = row["sent_ms"]
    assert isinstance(sent_ms, int)
    print_message(name, sent_ms, _text(row))


def _text(row: Row) -> str:
    if row.get("withdrawn"):
        return "(withdrawn)"
    if row["state"] == "failed" and not row["text"]:
        return "(given up; its text was deleted)"
    return "(needs a newer version of p2pchat)" if row.get("needs_newer_version") else str(row["text"])
