import pytest

from p2pchat.contacts.ticket import TICKET_BYTES, friend_ticket, is_my_ticket
from tests.support.identities import stored_identity, stored_root

ANN, BOB, EVE = (stored_identity(i) for i in range(3))
TICKET = friend_ticket(ANN.root, BOB.user)


def test_a_restored_root_knows_its_ticket_again() -> None:
    assert len(TICKET) == TICKET_BYTES
    assert is_my_ticket(stored_root(0), BOB.user, TICKET)


@pytest.mark.parametrize("ticket", [b"", TICKET[:-1], TICKET + b"\0", bytes(32), friend_ticket(BOB.root, ANN.user)])
def test_another_ticket_is_not_mine(ticket: bytes) -> None:
    assert not is_my_ticket(ANN.root, BOB.user, ticket)


def test_a_ticket_is_for_one_friend_from_one_root() -> None:
    assert not is_my_ticket(ANN.root, EVE.user, TICKET)
    assert not is_my_ticket(EVE.root, BOB.user, TICKET)
