"""``contact ...``: cards, requests, and the people one writes to."""

import base64
import re
import sys
import time
from typing import Final, cast

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import Address, names_among, text_argument
from p2pchat.commands.ask import Row, ask, ask_list, given
from p2pchat.commands.card_codes import card_code
from p2pchat.commands.contact_verify import verify
from p2pchat.commands.drawing import draw_code
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.layout import print_fields, print_table
from p2pchat.commands.look_alikes import LookAlikes
from p2pchat.commands.output import say
from p2pchat.commands.user_files import read_file, write_file
from p2pchat.errors import Corrupt, NotFound, P2PChatError
from p2pchat.ids import parse_user_id

_ARMOUR: Final = b"-----BEGIN P2PCHAT CARD-----"
_COLUMNS: Final = ("id", "alias", "nickname", "state", "verified", "channel", "presence", "addresses")
_REQUEST_COLUMNS: Final = ("id", "nickname", "direction", "via", "message")

contact = Noun(
    "contact",
    help="Cards, requests, and the people one writes to. PEER is an alias, a nickname that one contact alone bears,"
    " an ID, or its first 8 or more characters.",
    examples=("p2pchat contact card --out me.card", "p2pchat contact add bob.card --alias bob"),
)

contact.add_command(verify)


@contact.verb("card", "p2pchat contact card --out me.card", "p2pchat contact card --address 203.0.113.7:9000")
@click.option(
    "--out", metavar="FILE", help="Write the card here instead of to stdout (-).", shell_complete=candidates.files
)
@click.option("--qr", is_flag=True, help="As a QR code: on the terminal, or with --out in FILE.png or FILE.svg.")
@click.option(
    "--address", "addresses", type=Address(), multiple=True, help="Where one can be reached: IP:PORT; repeatable."
)
@pass_settings
def card(settings: Settings, out: str | None, qr: bool, addresses: tuple[str, ...]) -> None:
    """Make one's own card, to be given to somebody.

    Whoever has it can ask for contact, and learns the addresses in it; it holds no secret. A QR code holds less than
    the file: it says whom to ask and where, and the keys come over the first link.
    """
    if qr and out in {None, "-"} and settings.json:
        raise click.UsageError("--qr on a terminal is for people: name a picture with --out under --json")
    made = ask(settings, "contact.card", given(addresses=list(addresses) or None))
    data = base64.b64decode(str(made["card"]))
    rest = {name: made[name] for name in ("id", "addresses", "expires_ms")}
    if qr:
        until = time.strftime("%Y-%m-%d", time.gmtime(cast(int, made["expires_ms"]) / 1000))
        caption = f"card of {str(made['id'])[:11]} for p2pchat, good until {until}"
        file = draw_code(settings, str(made["code"]), caption, out)
        if file is not None:
            print_fields(settings, {"file": file, **rest})
    elif out is not None and out != "-":
        write_file(out, data, ours=_ARMOUR)
        print_fields(settings, {"file": out, **rest})
    elif settings.json:
        print_fields(settings, {"card": data.decode(), **rest})
    else:
        sys.stdout.write(data.decode())
    if not made["addresses"]:
        say(settings, "the card holds no address: give one with --address, or set `advertise`")
    for name in names_among(cast(list[str], made["addresses"])):
        say(settings, f"nobody looks up a name on a card: give the IP address of {name}, or tell your contacts to type")
        say(settings, f"  p2pchat contact address PEER {name}")


@contact.verb(
    "add", "p2pchat contact add bob.card --alias bob", "p2pchat contact add - --message 'Ada, from work' <card"
)
@click.argument("file", shell_complete=candidates.files)
@click.option("--alias", metavar="A", help="Own name for the contact.")
@click.option("--message", metavar="TEXT", help="Words that go with the request.")
@pass_settings
def add(settings: Settings, file: str, alias: str | None, message: str | None) -> None:
    """Take somebody's card and ask for contact: a file, a picture of its QR code, or `-` for stdin.

    The card of a known contact brings its newer addresses and keys.
    """
    if message is not None:
        text_argument("the message", message, limits.NOTE_BYTES)
    try:
        data = read_file(file, limits.PICTURE_BYTES, _too_long(file))
    except NotFound as error:
        if not _is_id(file):
            raise
        text = "an ID alone does not say where its owner is: add a card, or a picture of its code"
        raise NotFound(text, hint="p2pchat contact add --help") from error
    code = card_code(file, data)
    if code is None and len(data) > limits.CARD_FILE_BYTES:
        raise _too_long(file)
    what = {"card": data} if code is None else {"code": code.text}
    added = ask(settings, "contact.add", given(**what, alias=_alias(alias), message=message))
    if code is not None and code.addresses:
        # As with typed addresses: the gate hears them from the user himself.
        params = {"id": added["id"], "addresses": list(code.addresses), "lan": True, "some": True}
        ask(settings, "contact.address", params, socket="gate")
    _print_person(settings, added)
    if message is not None and added["state"] != "requested":
        name = added["alias"] or added["id"]
        say(settings, f"no request was needed, so the words did not go: p2pchat send {name} TEXT")


@contact.verb("requests", "p2pchat contact requests", "p2pchat contact requests --json | jq -r .id")
@pass_settings
def requests(settings: Settings) -> None:
    """List requests, made and received, that are not answered yet.

    Somebody who was rejected is not listed again for 30 days, however often the request comes; `contact add` with that
    person's card makes a contact at once.
    """
    rows = list(ask_list(settings, "contact.requests"))
    _print_people(settings, rows, _REQUEST_COLUMNS)
    for row in rows:
        if row["predecessor"]:
            new, old = str(row["id"])[:11], str(row["predecessor"])[:11]
            say(settings, f"{new} says that it is {old}, whose key was stolen: ask {old} over another channel first")


@contact.verb("accept", "p2pchat contact accept pc1q5f0c4c1", "p2pchat contact accept pc1q5f0c4c1 --json")
@click.argument("id_", metavar="ID", shell_complete=candidates.requests)
@pass_settings
def accept(settings: Settings, id_: str) -> None:
    """Accept a request."""
    _print_person(settings, ask(settings, "contact.accept", {"id": _peer(id_)}))


@contact.verb("reject", "p2pchat contact reject pc1q5f0c4c1", "p2pchat contact reject pc1q5f0c4c1 --json")
@click.argument("id_", metavar="ID", shell_complete=candidates.requests)
@pass_settings
def reject(settings: Settings, id_: str) -> None:
    """Refuse a request and forget it."""
    print_fields(settings, ask(settings, "contact.reject", {"id": _peer(id_)}))


@contact.verb("list", "p2pchat contact list", "p2pchat contact list --json | jq -r 'select(.presence==\"online\").id'")
@pass_settings
def list_(settings: Settings) -> None:
    """List all contacts."""
    _print_people(settings, list(ask_list(settings, "contact.list")), _COLUMNS)


@contact.verb("show", "p2pchat contact show bob", "p2pchat contact show bob --json | jq .addresses")
@click.argument("peer", shell_complete=candidates.contacts)
@pass_settings
def show(settings: Settings, peer: str) -> None:
    """Show one contact."""
    print_fields(settings, ask(settings, "contact.show", {"peer": _peer(peer)}))


@contact.verb("alias", "p2pchat contact alias pc1q5f0c4c1 bob", "p2pchat contact alias bob ''")
@click.argument("peer", shell_complete=candidates.contacts)
@click.argument("alias")
@pass_settings
def alias_(settings: Settings, peer: str, alias: str) -> None:
    """Give a contact an own name; an empty one takes it away."""
    print_fields(settings, ask(settings, "contact.alias", {"peer": _peer(peer), "alias": _alias(alias)}))


@contact.verb(
    "address", "p2pchat contact address bob 203.0.113.7:9000", "p2pchat contact address bob 10.0.0.7:9000 --lan"
)
@click.argument("peer", shell_complete=candidates.contacts)
@click.argument("addresses", metavar="HOST:PORT...", type=Address(), nargs=-1, required=True)
@click.option("--lan", is_flag=True, help="Allow loopback and private addresses for this contact.")
@pass_settings
def address(settings: Settings, peer: str, addresses: tuple[str, ...], lan: bool) -> None:
    """Say where a contact can be reached, in place of what was typed before."""
    if len(addresses) > limits.ADDRESSES:
        raise click.UsageError(f"at most {limits.ADDRESSES} addresses")
    known = ask(settings, "contact.show", {"peer": _peer(peer)})
    # Typed addresses go to the gate's own socket: the vault may carry an address, never choose one.
    params = {"id": known["id"], "addresses": list(addresses), "lan": lan}
    print_fields(settings, ask(settings, "contact.address", params, socket="gate"))


@contact.verb("retry", "p2pchat contact retry bob", "p2pchat contact retry bob --json | jq -r .channel")
@click.argument("peer")
@pass_settings
def retry(settings: Settings, peer: str) -> None:
    """Try again now to reach a contact.

    Where its channel says `error` (Serious connection error), new keys are agreed at once, and what waits is sent.
    """
    print_fields(settings, ask(settings, "contact.retry", {"peer": _peer(peer)}))


@contact.verb("block", "p2pchat contact block bob", "p2pchat contact block pc1q5f0c4c1 --json")
@click.argument("peer", shell_complete=candidates.contacts)
@pass_settings
def block(settings: Settings, peer: str) -> None:
    """Cut a contact off until unblocked; it is not told."""
    print_fields(settings, ask(settings, "contact.block", {"peer": _peer(peer)}))


@contact.verb("unblock", "p2pchat contact unblock bob", "p2pchat contact unblock pc1q5f0c4c1 --json")
@click.argument("peer", shell_complete=candidates.contacts)
@pass_settings
def unblock(settings: Settings, peer: str) -> None:
    """Undo a block."""
    print_fields(settings, ask(settings, "contact.unblock", {"peer": _peer(peer)}))


@contact.verb("remove", "p2pchat contact remove bob", "p2pchat contact remove pc1q5f0c4c1 --json")
@click.argument("peer", shell_complete=candidates.contacts)
@pass_settings
def remove(settings: Settings, peer: str) -> None:
    """Forget a contact; the history stays."""
    print_fields(settings, ask(settings, "contact.remove", {"peer": _peer(peer)}))


def _is_id(words: str) -> bool:
    try:
        return bool(parse_user_id(words))
    except P2PChatError:
        return False


def _too_long(file: str) -> Corrupt:
    return Corrupt(f"{file} is too long to be a card", hint="ask for the card again")


def _peer(words: str) -> str:
    return text_argument("a contact", words, limits.NICKNAME_BYTES)


def _alias(words: str | None) -> str | None:
    if not words:
        return None
    from p2pchat.rpc.fields import ALIAS

    if not re.fullmatch(ALIAS.pattern, words):
        raise click.UsageError("an alias is one word of at most 64 characters that does not begin with pc1, -, @ or #")
    return text_argument("an alias", words, limits.NICKNAME_BYTES)


def _print_person(settings: Settings, person: Row) -> None:
    """Somebody whom one is about to trust: a name that may be mistaken is pointed out."""
    print_fields(settings, person)
    if not settings.json and (mark := LookAlikes.asked(settings).mark(person)):
        say(settings, f"take care: the name {mark}")


def _print_people(settings: Settings, rows: list[Row], columns: tuple[str, ...]) -> None:
    """A table; for people, names that can be mistaken for another's are marked."""
    known = LookAlikes(()) if settings.json or not rows else LookAlikes.asked(settings)
    among = LookAlikes(rows)
    print_table(settings, rows, columns, marks=[known.mark(row) or among.mark(row) for row in rows])
