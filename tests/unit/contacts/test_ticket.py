import pytest

from p2pchat.contacts.ticket import TICKET_BYTES, friend_ticket, is_my_ticket
from tests.support.identities import stored_identity

ANN, BOB, EVE = (stored_identity(i) for i in range(3))
TICKET = friend_ticket(ANN.scalar, BOB.user)


def test_a_restored_identity_knows_its_ticket_again() -> None:
    assert len(TICKET) == TICKET_BYTES
    assert is_my_ticket(stored_identity(0).scalar, BOB.user, TICKET)


@pytest.mark.parametrize("ticket", [b"", TICKET[:-1], TICKET + b"\0", bytes(32), friend_ticket(BOB.scalar, ANN.user)])
def test_another_ticket_is_not_mine(ticket: bytes) -> None:
    assert not is_my_ticket(ANN.scalar, BOB.user, ticket)


def test_a_ticket_is_for_one_friend_from_one_root() -> None:
    assert not is_my_ticket(ANN.scalar, EVE.user, TICKET)
    assert not is_my_ticket(EVE.scalar, BOB.user, TICKET)
