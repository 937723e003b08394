import pytest

from p2pchat.env_system import SystemClock, SystemCrypto, SystemRandom, system_env
from p2pchat.keys import hpke
from tests.support.identities import stored_identity

ANN = stored_identity(0)


def test_the_clocks_go_forward() -> None:
    clock = SystemClock()
    assert clock.wall_ms() > 1_700_000_000_000
    first = clock.boot_s()
    assert 0 < first <= clock.boot_s()


def test_random_bytes_and_spans() -> None:
    random = SystemRandom()
    assert len(random.bytes(33)) == 33
    assert random.bytes(16) != random.bytes(16)
    assert all(2.0 <= random.uniform(2.0, 3.0) <= 3.0 for _ in range(100))


def test_the_library_s_draws_open_with_the_private_keys() -> None:
    crypto = SystemCrypto()
    secret, ciphertext = crypto.kem_encapsulate(ANN.record.box_mlkem768)
    assert ANN.device.box_mlkem.decapsulate(ciphertext) == secret
    assert (len(secret), len(ciphertext)) == (32, 1088)
    leg = crypto.oaep_encrypt(ANN.root.modulus, b"r" * 32, b"label")
    assert ANN.root.oaep_open(leg, b"label") == b"r" * 32
    box = crypto.hpke_seal(ANN.record.box_mlkem768, ANN.record.box_x25519, b"hello", b"info")
    assert hpke.open_box(box, ANN.device, b"info") == b"hello"


@pytest.mark.parametrize("public", [b"", bytes(1183), b"\xff" * 1184])
def test_a_bad_kem_key_is_a_value_error(public: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        SystemCrypto().kem_encapsulate(public)


def test_the_vault_s_world_has_no_network() -> None:
    env = system_env()
    assert env.net is None
    assert env.work is not env.db_work  # RSA never delays a commit
