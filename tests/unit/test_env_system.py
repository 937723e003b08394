import threading

import pytest
import trio
import trio.testing

from p2pchat.env_system import SystemClock, SystemCrypto, SystemRandom, ThreadWork, system_env
from p2pchat.errors import CryptoError
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


async def test_work_runs_outside_the_loop_one_at_a_time() -> None:
    work, go, main = ThreadWork(), threading.Event(), threading.get_ident()
    results: list[int] = []

    def slow(number: int) -> int:
        assert threading.get_ident() != main
        go.wait(5)
        return number * 2

    async def one(number: int) -> None:
        results.append(await work(slow, number))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(one, 1)
        nursery.start_soon(one, 2)
        await trio.testing.wait_all_tasks_blocked()
        seen = work._limiter.statistics()
        go.set()
    assert (seen.borrowed_tokens, seen.tasks_waiting) == (1, 1)
    assert sorted(results) == [2, 4]


async def test_work_gives_back_errors() -> None:
    def fail() -> None:
        raise CryptoError("no")

    with pytest.raises(CryptoError, match="no"):
        await ThreadWork()(fail)


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
