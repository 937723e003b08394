"""Comparing keys live, in steps of one request each: begin, wait, answer."""

from typing import Final

import trio

from p2pchat.contacts.compare import Fault, Verdict
from p2pchat.contacts.emoji import TABLE
from p2pchat.errors import AuthFailed, ConnectionLost, Failed, P2PChatError, RateLimited
from p2pchat.limits import COMPARISONS_A_DAY
from p2pchat.store import comparisons
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.vault.comparing import Attempt
from p2pchat.vault.flows import compare
from p2pchat.vault.flows.turn import Turn
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.node import Node

_DAY_MS: Final = 24 * 3600 * 1000
_WORDS: Final = {Verdict.NONE: "none", Verdict.YES: "yes", Verdict.NO: "no", Verdict.ENDED: "ended"}
_VERDICTS: Final = {"yes": Verdict.YES, "no": Verdict.NO, "cancel": Verdict.ENDED}


async def begin(node: Node, params: Params) -> Result:
    session = node.env.random.bytes(8).hex()

    def job(tx: Tx) -> tuple[Contact, Turn | None]:
        contact = named(node, tx, params["peer"])
        if not contact.is_friend:
            what = f"{contact.called} is {contact.state}, and keys are compared live with an accepted contact"
            raise Failed(what, hint=f"p2pchat contact show {contact.called}")
        if comparisons.count(tx, contact.id, node.now_ms() - _DAY_MS) >= COMPARISONS_A_DAY:
            raise RateLimited(
                f"keys were compared live with {contact.called} {COMPARISONS_A_DAY} times within a day: each is a guess"
                " for whoever sits between; compare the safety number instead",
                hint=f"p2pchat contact verify {contact.called}",
            )
        return contact, compare.begin(tx, node, contact, session)

    contact, _ = await node.store.change(job, after=lambda done: _depart(node, done[1]))
    return _view(node, contact, _attempt(node, contact, session))


async def wait(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    _touch(node, contact)
    result: Result = {}
    with trio.move_on_after(params["wait_ms"] / 1000):
        while True:
            ring = node.news.next_ring()
            result = _view(node, contact, _attempt(node, contact, params["session"]))
            if result["state"] != params["state"] or not params["wait_ms"]:
                break
            await ring.wait()
    _touch(node, contact)
    return result


async def answer(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    verdict = _VERDICTS[params["answer"]]

    def job(tx: Tx) -> tuple[Attempt, Turn | None]:
        attempt = _checked(node.comparing(contact.id).attempt.get(tx), params["session"], contact)
        if not _is_news(attempt, verdict, contact):
            return attempt, None
        return attempt, compare.answer(tx, node, contact, attempt, verdict)

    before, _ = await node.store.change(job, after=lambda done: _depart(node, done[1]))
    return _view(node, contact, node.comparing(contact.id).attempt.value or before)


def _is_news(attempt: Attempt, verdict: Verdict, contact: Contact) -> bool:
    """Whether this answer is one; not where it was given before and is asked again after a lost answer."""
    known = attempt.comparison
    given = known.verdict if known is not None else Verdict.NONE
    if given in {Verdict.NONE, verdict}:
        if verdict is not Verdict.ENDED and (known is None or not known.shown):
            raise Failed("there is nothing to answer yet: the other side has not begun", hint=_again(contact))
        return given is Verdict.NONE
    if verdict is Verdict.ENDED:
        return False  # there is nothing to break off any more
    raise Failed("this comparison has its answer already", hint=_again(contact))


def _attempt(node: Node, contact: Contact, session: str) -> Attempt:
    return _checked(node.comparing(contact.id).attempt.value, session, contact)


def _checked(found: Attempt | None, session: str, contact: Contact) -> Attempt:
    """Raises what ended it."""
    if found is None or found.session != session:
        why = "this comparison is not under way any more: it was broken off, or the daemon was started again"
        raise Failed(why, hint=_again(contact))
    if found.failure:
        raise ConnectionLost(f"the comparison failed: {found.failure}", hint=_again(contact))
    fault = found.comparison.fault if found.comparison is not None else None
    if fault is not None:
        raise _error(fault, contact)
    return found


def _error(fault: Fault, contact: Contact) -> P2PChatError:
    what = f"the comparison failed: {fault.value}"
    if fault in {Fault.WRONG_VALUE, Fault.REFLECTED}:
        return AuthFailed(f"{what}; no honest p2pchat does that", hint=f"p2pchat contact verify {contact.called}")
    return Failed(what, hint=_again(contact))


def _again(contact: Contact) -> str:
    return f"p2pchat contact verify {contact.called} --live"


def _touch(node: Node, contact: Contact) -> None:
    node.comparing(contact.id).asked_s = node.env.clock.boot_s()


def _depart(node: Node, turn: Turn | None) -> None:
    if turn is not None:
        turn.depart()
    node.news.ring()


def _view(node: Node, contact: Contact, attempt: Attempt) -> Result:
    comparison, link = attempt.comparison, node.link_of(contact.user)
    shown = comparison is not None and comparison.shown
    own = comparison.verdict if comparison is not None else Verdict.NONE
    peer = comparison.peer_verdict if comparison is not None else Verdict.NONE
    now = node.store.read(lambda reader: named(node, reader, contact.user_text))
    return {
        "id": contact.user_text,
        "session": attempt.session,
        "state": _state(shown=shown, own=own, peer=peer),
        "online": link is not None and link.ready,
        "emoji": [_picture(number) for number in comparison.pictures()] if shown and comparison is not None else [],
        "answer": _WORDS[own],
        "peer_answer": _WORDS[peer],
        "verified": now.verified,
    }


def _state(*, shown: bool, own: Verdict, peer: Verdict) -> str:
    if own not in {Verdict.YES, Verdict.NO}:
        return "shown" if shown else "waiting"
    return "answered" if peer is Verdict.NONE else "done"


def _picture(number: int) -> dict[str, str]:
    emoji, name = TABLE[number]
    return {"emoji": emoji, "name": name}
