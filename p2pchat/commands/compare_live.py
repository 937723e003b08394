"""``contact verify --live``: four pictures on two screens, and the person in front of each says whether they agree."""

import sys
import time
from contextlib import suppress
from typing import Final, cast

import click

from p2pchat.commands.ask import Row, ask
from p2pchat.commands.frame import Settings
from p2pchat.commands.layout import print_fields
from p2pchat.commands.output import print_json, say
from p2pchat.errors import Locked, P2PChatError, TimedOut, Untrusted
from p2pchat.show import SHORT_ID_CHARS, show

WAIT_S: Final = 300.0  # for the other side to begin
_ANSWER_S: Final = 60.0  # for the other side's answer, which may also come later, as an event
_CALL_S: Final = 10.0  # one call; the daemon takes a program that has not asked for 90 s for gone


def compare_live(settings: Settings, peer: str, timeout_s: float) -> None:
    """Compare, ask the user, print how it ended.

    Raises Locked without a terminal, TimedOut, Untrusted where either side says no, and what broke the comparison.
    """
    if settings.no_input or not sys.stdin.isatty():
        what = "only a person who looks at both screens can compare live, and there is no terminal to ask on"
        raise Locked(what, hint=f"p2pchat contact verify {peer}")
    view = ask(settings, "compare.begin", {"peer": peer})
    named = {"peer": view["id"], "session": view["session"]}
    try:
        view = _until_shown(settings, view, named, time.monotonic() + timeout_s)
        answer = _answer(view)
    except BaseException:  # Ctrl-C, too: the other side need not wait for an answer that never comes
        with suppress(P2PChatError):  # it has ended already
            ask(settings, "compare.answer", {**named, "answer": "cancel"})
        raise
    view = ask(settings, "compare.answer", {**named, "answer": answer})
    if answer == "yes":
        view = _until_done(settings, view, named)
    _print(settings, view)
    if "no" in {view["answer"], view["peer_answer"]}:
        what = "the two screens differ: somebody may stand between you two. The contact is not verified"
        raise Untrusted(what, hint=f"p2pchat contact verify {peer}")


def _until_shown(settings: Settings, view: Row, named: Row, end_s: float) -> Row:
    own = str(ask(settings, "whoami")["id"])[:SHORT_ID_CHARS]
    where = "" if view["online"] else " (not connected at the moment)"
    say(settings, f"Waiting for the other side{where}. There one types:\n\n  p2pchat contact verify {own} --live\n")
    while view["state"] == "waiting":
        if time.monotonic() >= end_s:
            raise TimedOut("the other side did not begin in time", hint=f"p2pchat contact show {view['id']}")
        view = _wait(settings, view, named, end_s)
    return view


def _until_done(settings: Settings, view: Row, named: Row) -> Row:
    """As far as it gets: the own answer counts already."""
    end_s = time.monotonic() + _ANSWER_S
    with suppress(KeyboardInterrupt, P2PChatError):
        if view["state"] == "answered":
            say(settings, "Waiting for the other side's answer.")
        while view["state"] == "answered" and time.monotonic() < end_s:
            view = _wait(settings, view, named, end_s)
    return view


def _wait(settings: Settings, view: Row, named: Row, end_s: float) -> Row:
    wait_s = max(0.0, min(_CALL_S, end_s - time.monotonic()))
    params = {**named, "state": view["state"], "wait_ms": int(wait_s * 1000)}
    return ask(settings, "compare.wait", params, wait_s=wait_s)


def _answer(view: Row) -> str:
    pictures = cast(list[dict[str, str]], view["emoji"])
    lines = [f"  {at}  {show(one['emoji'])}  {show(one['name'])}" for at, one in enumerate(pictures, 1)]
    click.echo("\n".join(["", *lines, ""]), err=True)
    click.echo("Read them to each other, by voice or face to face; not over p2pchat.", err=True)
    question = "Does the other screen show the same four, in this order?"
    return str(click.prompt(question, type=click.Choice(["yes", "no"], case_sensitive=False), err=True))


def _print(settings: Settings, view: Row) -> None:
    if settings.json:
        number = ask(settings, "contact.verify", {"peer": view["id"]})["safety_number"]
        shape = {name: view[name] for name in ("id", "verified", "emoji", "answer", "peer_answer")}
        print_json({**shape, "safety_number": number})
    else:
        theirs = {"none": "not given yet", "ended": "none: they broke it off"}.get(str(view["peer_answer"]))
        words = {"your_answer": view["answer"], "their_answer": theirs or view["peer_answer"]}
        print_fields(settings, {"id": view["id"], "verified": view["verified"], **words})
    if view["peer_answer"] == "none":
        say(settings, "A `no` from there would still be told as a warning: p2pchat recv --all")
