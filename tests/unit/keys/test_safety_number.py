from p2pchat.keys.safety_number import safety_number
from tests.support.identities import stored_identity

ANN, BOB = ((who.user, who.chain.root.spki_hash) for who in map(stored_identity, (0, 1)))


def test_both_sides_read_the_same_sixty_digits() -> None:
    number = safety_number(ANN, BOB)
    assert number == safety_number(BOB, ANN)
    groups = number.split(" ")
    assert [len(group) for group in groups] == [5] * 12
    assert number.replace(" ", "").isdecimal()


def test_each_side_owns_its_half() -> None:
    first, second = sorted((ANN, BOB))
    number = safety_number(ANN, BOB)
    assert safety_number(first, first)[:35] == number[:35]
    assert safety_number(second, second)[:35] == number[36:]


def test_another_root_shows_in_the_number() -> None:
    assert safety_number(ANN, BOB) != safety_number(ANN, (BOB[0], bytes(32)))
