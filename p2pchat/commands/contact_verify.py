"""``contact verify``: the safety number, shown or compared; ``--live`` is in ``compare_live``."""

import re
import unicodedata
from typing import Final

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import Seconds, text_argument
from p2pchat.commands.ask import ask, given
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.layout import print_fields

_DIGITS: Final = 60
_GROUP: Final = 5
_TYPED_CHARS: Final = 400  # with whatever stands between the digits


@verb("verify", "p2pchat contact verify bob --live", "p2pchat contact verify bob --number '01234 56789 ...'")
@click.argument("peer", shell_complete=candidates.contacts)
@click.option("--number", metavar="N", help="The safety number that the other side sees: 60 digits, spaced at will.")
@click.option("--live", is_flag=True, help="Compare four pictures with the other side, who does the same now.")
@click.option("--timeout", "timeout_s", type=Seconds(0), metavar="S", help="Wait so long for the other side (300).")
@pass_settings
def verify(settings: Settings, peer: str, number: str | None, live: bool, timeout_s: float | None) -> None:
    """Compare keys with a contact, so that nobody can sit between.

    Alone it shows the safety number. Let the other side read theirs out over another channel, a call say, and give it
    as --number: where both are the same, the contact is verified; else the exit status is 6 and nothing changes.

    With --live both sides, on the phone with each other, run this at the same time. Both screens show four pictures;
    each person says whether the other's are the same. Yes verifies the contact; a no on either side takes that away on
    both, and ends with 6. It asks a person on a terminal, never a script: --no-input ends with 4.
    """
    text_argument("a contact", peer, limits.NICKNAME_BYTES)
    if live and number is not None:
        raise click.UsageError("--live and --number are two ways; take one")
    if timeout_s is not None and not live:
        raise click.UsageError("--timeout belongs to --live")
    if live:
        from p2pchat.commands.compare_live import WAIT_S, compare_live

        compare_live(settings, peer, WAIT_S if timeout_s is None else timeout_s)
        return
    params = given(peer=peer, number=None if number is None else _digits(number))
    checked = ask(settings, "contact.verify", params)
    numbers = {name: _grouped(str(value)) for name, value in checked.items() if name.endswith("safety_number")}
    print_fields(settings, checked if settings.json else {**checked, **numbers})


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


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
