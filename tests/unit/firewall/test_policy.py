"""Who may be dialled where, who may come in, and what each role may say."""

import pytest

from p2pchat.errors import BadFormat, Forbidden
from p2pchat.firewall.address_book import AddressBook
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.permit import Permit, Range
from p2pchat.firewall.policy import Policy
from p2pchat.firewall.roles import may_pass
from p2pchat.firewall.window import WINDOW_BYTES, WINDOW_FRAMES, Window
from p2pchat.ids import UserId
from p2pchat.link.handshake import Claim
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Role
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Address
from tests.support.gates import peer, user
from tests.support.links import credentials

FAR, LAN = ("8.8.8.8", 4000), ("192.168.1.9", 4000)
NOWHERE: frozenset[Range] = frozenset()


def policy_with(
    *messages: boundary.Peer, near: frozenset[Range] = NOWHERE, carriers: tuple[str, ...] = ("ws",)
) -> tuple[Policy, AddressBook]:
    peers, book = Peers(), AddressBook({})
    for message in messages:
        for record in peers.state(message).records:
            book.learn(message.user, record)
    return Policy(user(0), peers, book, near=near, carriers=carriers), book


def places(policy: Policy) -> list[tuple[str, int]]:
    return [(permit.host, permit.port) for permit in policy.permits(user(1)).permits]


def claim(who: UserId) -> Claim:
    return Claim(who, b"d" * 16, bytes(32), bytes(32), bytes(32))  # type: ignore[arg-type]


def test_a_verified_record_permits_its_addresses() -> None:
    policy, _ = policy_with(peer(1, FAR))
    assert policy.permits(user(1)).permits == [Permit(user(1), "8.8.8.8", 4000, "ws")]


@pytest.mark.parametrize("role", [Role.GONE, Role.MEMBER, Role.TRACKER])
def test_other_roles_are_not_dialled(role: Role) -> None:
    policy, _ = policy_with(peer(1, FAR, role=role))
    assert policy.permits(user(1)).permits == []
    assert policy.permits(user(1)).refused == "this ID is no contact"


def test_nobody_is_dialled_of_whom_the_vault_never_spoke() -> None:
    policy, _ = policy_with(peer(1, FAR))
    assert policy.permits(user(2)).refused == "this ID is no contact"


def test_a_record_may_name_lan_addresses_only_if_the_user_imported_it() -> None:
    policy, _ = policy_with(peer(1, FAR, LAN))
    assert places(policy) == [FAR]
    policy, _ = policy_with(peer(1, FAR, LAN, lan=True))
    assert places(policy) == [FAR, LAN]


def test_a_node_confined_to_the_lan_may_dial_it() -> None:
    policy, _ = policy_with(peer(1, LAN), near=frozenset({Range.LAN}))
    assert places(policy) == [LAN]


def test_typed_lan_addresses_need_the_word_lan() -> None:
    policy, book = policy_with(peer(1))
    typed = [Address(host=LAN[0], port=LAN[1], carrier="ws")]
    book.type_in(user(1), typed, lan=False)
    assert "LAN address" in policy.permits(user(1)).refused
    with pytest.raises(Forbidden):
        policy.check_typed(*LAN, lan=False)
    book.type_in(user(1), typed, lan=True)
    assert places(policy) == [LAN]
    policy.check_typed(*LAN, lan=True)


def test_the_lan_flag_of_typed_addresses_does_not_cover_records() -> None:
    policy, book = policy_with(peer(1, ("192.168.7.7", 4000)))
    book.type_in(user(1), [Address(host=LAN[0], port=LAN[1], carrier="ws")], lan=True)
    assert places(policy) == [LAN]


def test_unknown_carriers_are_passed_over() -> None:
    policy, book = policy_with(peer(1))
    book.type_in(user(1), [Address(host="8.8.8.8", port=4000, carrier="tls")], lan=False)
    assert policy.permits(user(1)).refused == "the carrier tls is not among those of: p2pchat config get carriers"


def test_visitors_are_looked_up() -> None:
    policy, _ = policy_with(peer(1), peer(2, role=Role.GONE))
    found = policy.look_up(claim(user(1)))
    assert found is not None
    assert found.user == user(1)
    assert policy.look_up(claim(user(3))) is None  # a stranger
    with pytest.raises(Forbidden, match="removed or blocked"):
        policy.look_up(claim(user(2)))
    with pytest.raises(Forbidden, match="this very identity"):
        policy.look_up(claim(user(0)))


# --- PEER -------------------------------------------------------------------------------------------------------------


def changed(message: boundary.Peer, **fields: object) -> boundary.Peer:
    names = ("user", "role", "key_log", "device_set", "records", "lan")
    return boundary.Peer(**{**{name: getattr(message, name) for name in names}, **fields})  # type: ignore[arg-type]


def test_the_last_word_on_a_peer_wins() -> None:
    peers = Peers()
    peers.state(peer(1))
    assert (peers.role(user(1)), peers.credentials(user(1)) is not None) == (Role.CONTACT, True)
    peers.state(peer(1, role=Role.GONE, pinned=False))
    assert (peers.role(user(1)), peers.credentials(user(1))) == (Role.GONE, None)
    assert peers.role(user(2)) is Role.STRANGER


def test_a_role_alone_costs_no_second_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = Peers()
    peers.state(peer(1))
    monkeypatch.setattr("p2pchat.link.credentials.verify_key_log", lambda _: pytest.fail("verified again"))
    peers.state(peer(1, role=Role.STRANGER))
    assert peers.credentials(user(1)) is not None


def test_objects_of_another_id_are_left_out_and_told() -> None:
    peers = Peers()
    stated = peers.state(changed(peer(2, FAR), user=user(1)))
    assert stated.known.credentials is None
    assert stated.records == ()
    assert stated.problems == ("the key log leads to another ID",)


def test_damaged_objects_are_left_out_and_told() -> None:
    honest = peer(1, FAR)
    damaged = bytearray(honest.device_set)
    damaged[-1] ^= 1
    stated = Peers().state(changed(honest, device_set=bytes(damaged)))
    assert stated.known.credentials is None
    assert len(stated.problems) == 1


def test_only_records_of_the_peers_own_devices_count() -> None:
    stated = Peers().state(changed(peer(1), records=(*peer(2, FAR).records, b"\xc1", *peer(1, FAR).records)))
    assert len(stated.records) == 1
    assert stated.records[0].user == user(1)
    assert len(stated.problems) == 2


def test_without_a_pinned_chain_no_record_counts() -> None:
    assert Peers().state(changed(peer(1, FAR), key_log=b"", device_set=b"")).records == ()


def test_an_unknown_role_is_a_bug_of_the_vault() -> None:
    with pytest.raises(BadFormat):
        Peers().state(changed(peer(1), role=9))


def test_pinned_credentials_are_those_that_the_link_compares() -> None:
    peers = Peers()
    peers.state(peer(1))
    held = peers.credentials(user(1))
    assert held is not None
    assert held.match(credentials(1).chain.head, credentials(1).devices.set_hash)


# --- frames -----------------------------------------------------------------------------------------------------------


F = FrameType
SIGNALS = {F.OBJECTS, F.ERROR, F.PING, F.PONG, F.CLOSE, F.CREDIT, F.STALE_SET, F.STALE_LOG, F.LOG_WANTED}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.CONTACT, set(FrameType)),
        (Role.STRANGER, SIGNALS | {F.REQUEST, F.ANSWER}),
        (Role.MEMBER, SIGNALS),
        (Role.TRACKER, set()),
        (Role.GONE, set()),
    ],
)
def test_each_role_has_its_frames(role: Role, allowed: set[FrameType]) -> None:
    assert {kind for kind in FrameType if may_pass(role, kind, 10)} == allowed
    assert not may_pass(role, 99, 10)


def test_the_window_counts_frames_and_bytes() -> None:
    window = Window()
    for n in range(WINDOW_FRAMES):
        assert window.open
        assert window.add(10) == n + 1
    assert not window.open
    window.took(1)
    assert window.open
    window.took(WINDOW_FRAMES)
    assert window.empty
    window.add(WINDOW_BYTES)
    assert not window.open
    window.took(1)  # cumulative: an old word changes nothing
    assert not window.open
    with pytest.raises(BadFormat):
        window.took(WINDOW_FRAMES + 2)
