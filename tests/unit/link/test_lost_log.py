"""Links of somebody who shows no key log: with whoever holds it, and with nobody else."""

import pytest

from p2pchat.errors import BadFormat, BadSignature, P2PChatError, Untrusted
from p2pchat.keys.own_log import read_own_log, whole
from p2pchat.link.credentials import Credentials, Local
from p2pchat.link.handshake import Initiator, Responder
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from tests.support.identities import NOW_MS, stored_identity
from tests.support.links import credentials, initiator, introduce, local, responder, shake_hands
from tests.support.rotated import rotated, rotated_secrets


def restored(by: int = 3) -> Local:
    """The first stored identity, rotated, back from a string."""
    secrets = rotated_secrets(0, by, lost=True)
    return Local(read_own_log(secrets.key_log), rotated(0, by).devices, local(0).device, local(0).link_private)


def pinned(by: int = 3) -> Credentials:
    return Credentials(whole(rotated(0, by).chain), stored_identity(0).devices)  # its last set is another


def dialled_by_it(held: Credentials | None, own: Local) -> Credentials:
    one, other = Initiator(own, local(1).user, credentials(1), fresh=bytes(range(96))), responder(1)
    shake_hands(one, other)
    ask = AskCredentials(other.claim, held, now_ms=NOW_MS)
    assert introduce(one, other, ShowCredentials(own), ask) == 3
    assert ask.proven is not None
    return ask.proven


def dialled_to_it(held: Credentials | None, own: Local) -> Credentials:
    one = initiator(1, 0, held)
    other = Responder(own, fresh=bytes(range(32)), encapsulate=responder(0)._noise._keys.encapsulate)  # type: ignore[arg-type]
    shake_hands(one, other)
    return one.credentials


@pytest.mark.parametrize("link", [dialled_by_it, dialled_to_it])
def test_who_holds_the_log_lends_it(link) -> None:  # type: ignore[no-untyped-def]
    proven = link(pinned(), restored())
    assert (proven.chain, proven.devices) == (rotated(0, 3).chain, rotated(0, 3).devices)


@pytest.mark.parametrize("link", [dialled_by_it, dialled_to_it])
@pytest.mark.parametrize(
    ("held", "error"),
    [
        (None, BadFormat),  # a stranger
        (Credentials(whole(stored_identity(0).chain), stored_identity(0).devices), Untrusted),  # from before it
        (pinned(4), Untrusted),  # another successor
    ],
)
def test_nobody_else_takes_it(link, held: Credentials | None, error: type[P2PChatError]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error):
        link(held, restored())


def test_an_entry_that_is_named_does_not_make_its_root_ones_own() -> None:
    """A thief of the first root names the head after it: the set would have to be signed by the second."""
    thief = Local(restored().chain, stored_identity(0).devices, local(0).device, local(0).link_private)
    with pytest.raises(BadSignature):
        dialled_by_it(Credentials(whole(rotated(0, 3).chain), rotated(0, 3).devices), thief)
