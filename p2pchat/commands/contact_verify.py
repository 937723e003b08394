"""``contact verify``: the safety number, shown or compared."""

import re
import unicodedata
from typing import Final

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import text_argument
from p2pchat.commands.ask import Row, ask, given
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_fields

_DIGITS: Final = 60
_GROUP: Final = 5
_TYPED_CHARS: Final = 400  # with whatever stands between the digits


@verb("verify", "p2pchat contact verify bob", "p2pchat contact verify bob --number '01234 56789 ...'")
@click.argument("peer", shell_complete=candidates.contacts)
@click.option("--number", metavar="N", help="The safety number that the other side sees: 60 digits, spaced at will.")
@pass_settings
def verify(settings: Settings, peer: str, number: str | None) -> None:
    """Compare keys with a contact, so that nobody can sit between.

    Alone it shows the safety number. Let the other side read theirs out over another channel, a call say, and give it
    as --number: where both are the same, the contact is verified; else the exit status is 6 and nothing changes.
    """
    text_argument("a contact", peer, limits.NICKNAME_BYTES)
    params = given(peer=peer, number=None if number is None else _digits(number))
    checked = ask(settings, "contact.verify", params)
    print_fields(settings, checked if settings.json else {**checked, "safety_number": _grouped(checked)})


def _digits(typed: str) -> str:
    """The 60 digits in what was typed or pasted. Raises click.UsageError."""
    if len(typed) > _TYPED_CHARS:
        raise click.UsageError(f"a safety number has {_DIGITS} digits, this is far longer")
    kept = re.sub(r"[\s.,;:_-]", "", unicodedata.normalize("NFKC", typed))
    if not re.fullmatch(r"[0-9]*", kept):
        raise click.UsageError(f"a safety number has {_DIGITS} digits and nothing else but spaces")
    if len(kept) != _DIGITS:
        raise click.UsageError(f"a safety number has {_DIGITS} digits, this has {len(kept)}")
    return kept


def _grouped(checked: Row) -> str:
    digits = str(checked["safety_number"])
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
