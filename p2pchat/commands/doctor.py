"""``doctor``: what p2pchat needs here, one verdict a line, and the command that mends what is wrong."""

from collections.abc import Iterator
from typing import Final

import click

from p2pchat.commands.checks import daemon, home, machine
from p2pchat.commands.checks.verdict import Verdict
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.output import print_folded, print_json
from p2pchat.errors import Failed
from p2pchat.show import show

_LABELS: Final = {"ok": "ok  ", "warn": "warn", "bad": "BAD "}


@verb("doctor", "p2pchat doctor", "p2pchat doctor --json | jq 'select(.ok | not)'")
@click.option("--store", is_flag=True, help="Read the whole store, too: seconds for a long history.")
@pass_settings
def doctor(settings: Settings, store: bool) -> None:
    """Check this machine, the home and the daemon: ok, warn or BAD, and the command that mends it.

    The exit status is 0 where all is ok, else 1. It looks and changes nothing, and works without a daemon.
    """
    unfit: list[Verdict] = []
    for verdict in verdicts(settings, pages=store):
        _print(settings, verdict)
        if not verdict.ok:
            unfit.append(verdict)
    if unfit:
        first = next((verdict for verdict in unfit if verdict.verdict == "bad"), unfit[0])
        bad = sum(verdict.verdict == "bad" for verdict in unfit)
        raise Failed(f"bad: {bad}; worth a look: {len(unfit) - bad}", hint=first.mend or "p2pchat doctor")


def verdicts(settings: Settings, *, pages: bool = False) -> Iterator[Verdict]:
    """All checks, each made when it is asked for. ``pages``: the daemon reads its whole store, too."""
    yield from machine.checks()
    yield from home.checks(settings.home)
    yield from daemon.checks(settings, pages=pages)


def _print(settings: Settings, verdict: Verdict) -> None:
    if settings.json:
        shape = {"check": verdict.check, "verdict": verdict.verdict, "ok": verdict.ok}
        print_json({**shape, "detail": verdict.detail, "mend": verdict.mend})
        return
    mend = f"; mend it with: {verdict.mend}" if verdict.mend else ""
    print_folded(f"{_LABELS[verdict.verdict]}  {verdict.check}: {show(verdict.detail + mend)}")
