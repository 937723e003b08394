import hmac

import pytest

from p2pchat.channel.ratchet import Chain
from p2pchat.errors import CryptoError
from p2pchat.limits import EPOCH_MESSAGES_HARD, RATCHET_JUMP

KEY = bytes(range(32))


def test_keys_are_hmacs_of_the_chain_key() -> None:
    message_key, after = Chain(KEY).advance()
    assert message_key == hmac.digest(KEY, b"\x01", "sha256")
    assert after == Chain(hmac.digest(KEY, b"\x02", "sha256"), 1)


def test_a_jump_gives_the_key_that_single_steps_give() -> None:
    chain = Chain(KEY)
    for _ in range(5):
        _, chain = chain.advance()
    assert Chain(KEY).advance_to(5) == chain.advance()


def test_a_chain_never_goes_back() -> None:
    _, after = Chain(KEY).advance_to(5)
    assert after.index == 6
    with pytest.raises(CryptoError, match="used before"):
        after.advance_to(5)


def test_a_jump_is_bounded_before_it_costs_anything() -> None:
    with pytest.raises(CryptoError, match="ahead"):
        Chain(KEY).advance_to(RATCHET_JUMP + 1)


def test_an_epoch_has_a_hard_stop() -> None:
    Chain(KEY, EPOCH_MESSAGES_HARD - 1).advance()
    with pytest.raises(CryptoError, match="epoch"):
        Chain(KEY, EPOCH_MESSAGES_HARD).advance()


def test_a_chain_does_not_print_its_key() -> None:
    assert repr(Chain(KEY, 3)) == "Chain(index=3)"
