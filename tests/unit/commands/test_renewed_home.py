"""A home that gets another ID: after a crash at any write it is the old identity or the new, whole."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat import atomic
from p2pchat.commands.factors import Factors
from p2pchat.commands.new_home import kek_of, make_home, read_primes, renew_home
from p2pchat.errors import Corrupt, WrongPassword
from p2pchat.home import Home
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import load_identity
from p2pchat.keys.key_file import derive
from p2pchat.keys.succession import current
from p2pchat.keys.vault_file import open_gate, open_vault
from p2pchat.wire.own_files import GateSecrets

PASSWORD = Factors(b"open sesame")
IDENTITIES = Path(__file__).parents[2] / "support" / "identities"
OLD, NEW, THIRD = (read_primes(IDENTITIES / f"{n}.hex") for n in range(3))


class PowerCut(BaseException):
    pass


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path, tmp_path)
    make_home(home, OLD, *PASSWORD, light=True)
    return home


def identity_in(home: Home) -> tuple[str, GateSecrets]:
    """Whose home it is, where vault and gate agree."""
    kek = kek_of(home, PASSWORD)
    identity = load_identity(open_vault(home.vault_file.read_bytes(), derive(kek, "vault")))
    gate = current(open_gate(home.gate_file.read_bytes(), derive(kek, "gate")), identity.user)
    assert gate.user == identity.user
    public = X25519PrivateKey.from_private_bytes(gate.link_x25519).public_key().public_bytes_raw()
    assert public == identity.record.link_x25519
    return user_id_text(identity.user), gate


def test_it_is_another_identity_under_the_same_password(home: Home) -> None:
    before, old_gate = identity_in(home)
    made, given_up = renew_home(home, kek_of(home, PASSWORD), NEW, recovery_seed=bytes(range(32)))
    after, gate = identity_in(home)
    assert (given_up, made.id, made.id == before) == (before, after, False)
    assert (gate.next, gate.store_share) == (b"", old_gate.store_share)


@pytest.mark.parametrize("writes", range(4))
def test_a_crash_leaves_the_old_or_the_new(home: Home, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = identity_in(home)
    kek, done, replace = kek_of(home, PASSWORD), 0, atomic.replace

    def cut(path: Path, data: bytes) -> None:
        nonlocal done
        if done == writes:
            raise PowerCut
        done += 1
        replace(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "replace", cut)
        try:
            renew_home(home, kek, NEW)
        except PowerCut:
            assert writes < 3
    after, _ = identity_in(home)
    assert (after == before) == (writes < 2)
    again, given_up = renew_home(home, kek, THIRD)  # and it can be tried once more
    assert (given_up, identity_in(home)[0]) == (after, again.id)


def test_a_wrong_password_and_a_missing_file_are_told(home: Home) -> None:
    with pytest.raises(WrongPassword):
        kek_of(home, Factors(b"wrong"))
    kek = kek_of(home, PASSWORD)
    home.gate_file.unlink()
    with pytest.raises(Corrupt, match="cannot read"):
        renew_home(home, kek, NEW)
    home.unlock_file.unlink()
    with pytest.raises(Corrupt, match="cannot read"):
        kek_of(home, PASSWORD)
