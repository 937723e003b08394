"""Who takes part: four people with an RSA that costs nothing, or with stored RSA-8192 identities."""

from tests.support.channel_pair import FakeRsa, fake_open, party
from tests.support.frame_sim.parts import Person

NAMES = ("anna", "bert", "cleo", "dora")


def fake_people() -> dict[str, Person]:
    return {name: _fake(name) for name in NAMES}


def real_people() -> dict[str, Person]:
    """Real keys, real OAEP: about 25 ms a leg."""
    from p2pchat.channel.exchange import Leg
    from p2pchat.channel.parties import Party
    from p2pchat.env_system import SystemCrypto
    from p2pchat.errors import CryptoError
    from tests.support.identities import stored_identity

    def person(index: int, name: str) -> Person:
        identity = stored_identity(index)
        root = identity.root

        def open_leg(leg: Leg) -> bytes | None:
            try:
                return root.oaep_open(leg.ciphertext, leg.label)
            except CryptoError:
                return None

        whole = Party(
            user=identity.user,
            device=identity.record.device,
            head=identity.chain.head,
            set_hash=identity.devices.set_hash,
            modulus=identity.chain.root.modulus,
            spki_hash=identity.chain.root.spki_hash,
        )
        return Person(name, whole, SystemCrypto(), open_leg)

    return {name: person(index, name) for index, name in enumerate(NAMES)}


def _fake(name: str) -> Person:
    whole = party(name)
    return Person(name, whole, FakeRsa(), lambda leg: fake_open(whole.modulus, leg))
