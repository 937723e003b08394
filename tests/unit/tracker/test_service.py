"""What a tracker answers to whom: owners of slots, people who ask, and those who lie."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.tracker import work
from p2pchat.tracker.secrets import COOKIE_S, DAY_S
from p2pchat.tracker.service import Source
from p2pchat.tracker.table import LETTER_S, LETTERS, RECORD_S, letter_id
from p2pchat.wire import tracker_packets as packets
from p2pchat.wire.tracker_packets import Flags, Problem, Type, first_byte
from tests.support.tracker import HOME, NOW_S, Person, fresh, service

RECORD, OTHER = fresh("record", packets.RECORD_BYTES), fresh("other", packets.RECORD_BYTES)
ELSEWHERE = Source(bytes(10) + b"\xff\xff\xcb\x00\x71\x05", 5000)


@pytest.fixture(autouse=True)
def _light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of work a letter is for strangers, and not for tests."""
    monkeypatch.setattr(work, "BITS", 4)


def registered(index: int = 0, **more: object) -> Person:
    person = Person(service(**more), index)  # type: ignore[arg-type]
    person.register()
    return person


def test_an_owner_registers_and_learns_where_the_tracker_saw_him() -> None:
    person = registered()
    assert len(person.key) == 16
    assert person.seen == (HOME.address, HOME.port)
    assert person.key == person.at.secrets.slot_key(person.slot[:8], NOW_S // DAY_S)


@pytest.mark.parametrize("kind", ["register", "announce", "mail"])
def test_who_does_not_get_what_is_sent_to_him_gets_a_cookie_and_nothing_else(kind: str) -> None:
    person = registered()
    raws = {
        "register": person.register_packet().encode(),
        "announce": person.signed(
            packets.Announce(cookie=person.cookie(), slot=person.slot, sequence=1, record=RECORD, mac=bytes(8))
        ),
        "mail": packets.Mail(
            cookie=person.cookie(), slot=person.slot, hour=0, counter=bytes(8), letter=bytes(475)
        ).encode(),
    }
    spoofed = Person(person.at, source=ELSEWHERE)
    answer = spoofed.ask(raws[kind])
    assert answer == packets.Cookie(cookie=spoofed.cookie())
    assert not person.at.table.records
    for seconds, right in ((COOKIE_S, True), (2 * COOKIE_S, False)):
        later = Person(person.at, now_s=NOW_S + seconds)
        assert isinstance(later.ask(raws[kind]), packets.Cookie) is not right


def test_a_registration_is_signed_by_the_slot_for_this_tracker_and_this_day() -> None:
    person = Person(service())
    good = person.register_packet()
    stranger = Person(person.at, 1)
    for wrong, problem in (
        (replace(good, ephemeral=bytes(32)), Problem.SIGNATURE),
        (replace(good, key=stranger.blinded.public), Problem.SIGNATURE),
        (replace(good, key=b"\xff" * 32), Problem.SIGNATURE),
        (person.register_packet(tracker=bytes(32)), Problem.SIGNATURE),
        (replace(good, day=good.day + 1), Problem.SIGNATURE),
        (replace(good, day=good.day + 3), Problem.DAY),
        (replace(good, day=good.day - 2), Problem.DAY),
    ):
        answer = person.ask(wrong.encode())
        assert answer == packets.Trouble(about=Type.REGISTER, problem=problem, now_s=NOW_S)


def test_a_record_is_found_by_who_knows_the_slot_until_its_owner_leaves() -> None:
    person, friend = registered(), None
    friend = Person(person.at, 1, ELSEWHERE)
    answer = person.announce(RECORD)
    assert isinstance(answer, packets.Announced)
    assert (answer.sequence, answer.flags) == (1, Flags.NONE)
    assert friend.query(person.slot) == RECORD
    assert person.announce(OTHER) is not None
    assert friend.query(person.slot) == OTHER
    person.leave()
    assert friend.query(person.slot) not in {RECORD, OTHER, b""}


def test_a_miss_looks_like_a_record_that_nobody_touches() -> None:
    asker = Person(service())
    slots = [fresh(f"slot {n}", 16) for n in range(20)]
    records = {slot: asker.query(slot) for slot in slots}
    assert len(set(records.values())) == 20
    assert {slot: asker.query(slot) for slot in slots} == records
    tomorrow = Person(asker.at, now_s=NOW_S + DAY_S)
    assert not {tomorrow.query(slot) for slot in slots} & set(records.values())


def test_a_record_lives_as_long_as_it_is_refreshed() -> None:
    person = registered()
    friend = Person(person.at, 1, ELSEWHERE)
    person.announce(RECORD)
    for _ in range(3):
        person.now_s = friend.now_s = person.now_s + RECORD_S - 1
        answer = person.refresh()
        assert isinstance(answer, packets.Refreshed) and not answer.flags & Flags.UNKNOWN
        assert friend.query(person.slot) == RECORD
    friend.now_s += 3 * RECORD_S
    assert friend.query(person.slot) != RECORD
    assert person.at.table.expire(friend.now_s) == 1
    assert not person.at.table.records


def test_a_tracker_that_began_anew_asks_for_what_it_lost() -> None:
    person = registered()
    person.announce(RECORD)
    person.at.table.records.clear()
    answer = person.refresh()
    assert isinstance(answer, packets.Refreshed) and answer.flags & Flags.UNKNOWN
    assert person.announce(RECORD) is not None


def test_a_key_ends_with_the_day_after_it_was_given() -> None:
    person = registered()
    slot = person.slot
    person.announce(RECORD)
    table, day = person.at.table, NOW_S // DAY_S
    handle = slot[:8]
    packet = packets.Refresh(handle=handle, sequence=9, mac=bytes(8))
    raw = person.signed(packet)
    for later, flags in ((day, 0), (day + 1, Flags.REGISTER)):
        table.write("records", slot, 5, RECORD, (day + 5) * DAY_S, later * DAY_S)
        answer = person.at.handle(raw, HOME, later * DAY_S)
        assert answer is not None and answer[1] == flags
    assert person.at.handle(raw, HOME, (day + 2) * DAY_S) is None


def test_old_and_repeated_packets_change_nothing() -> None:
    person = registered()
    friend = Person(person.at, 1, ELSEWHERE)
    old = person.signed(
        packets.Announce(cookie=person.cookie(), slot=person.slot, sequence=1, record=OTHER, mac=bytes(8))
    )
    person.announce(OTHER)
    person.announce(RECORD, sequence=5)
    assert person.ask(old) is None
    assert friend.query(person.slot) == RECORD
    again = person.announce(OTHER, sequence=5)  # the answer was lost: said once more, and nothing written
    assert isinstance(again, packets.Announced)
    assert friend.query(person.slot) == RECORD
    expires_s = person.at.table.records[person.slot[:8]].expires_s
    person.now_s += 60
    assert person.refresh(sequence=4) is None
    assert person.refresh(sequence=5) is not None
    assert person.at.table.records[person.slot[:8]].expires_s == expires_s


def test_nobody_writes_into_a_slot_without_its_key() -> None:
    person, thief = registered(), Person(service(), 1)
    thief.at = person.at
    thief.register("thief")
    person.announce(RECORD)
    for packet in (
        packets.Announce(cookie=thief.cookie(), slot=person.slot, sequence=99, record=OTHER, mac=bytes(8)),
        packets.Refresh(handle=person.slot[:8], sequence=99, mac=bytes(8)),
        packets.Leave(handle=person.slot[:8], sequence=99, mac=bytes(8)),
        packets.Fetch(handle=person.slot[:8], sequence=99, done=bytes(8), mac=bytes(8)),
    ):
        assert thief.ask(thief.signed(packet)) is None
    assert thief.query(person.slot) == RECORD
    assert person.at.counts["wrong MAC"] == 4


def test_a_slot_with_anothers_handle_neither_reads_nor_writes_it() -> None:
    person = registered()
    person.announce(RECORD)
    twin = person.slot[:8] + bytes(8)
    packet = packets.Announce(cookie=person.cookie(), slot=twin, sequence=9, record=OTHER, mac=bytes(8))
    assert person.ask(person.signed(packet)) is None
    assert person.query(twin) not in {RECORD, OTHER}
    assert person.query(person.slot) == RECORD


def test_letters_wait_for_their_owner_and_go_when_he_says_so() -> None:
    person = registered()
    stranger = Person(person.at, 1, ELSEWHERE)
    letters = [fresh(f"letter {n}", packets.MAIL_BYTES) for n in range(2)]
    for letter in letters:
        mailed = stranger.mail(person.slot, letter, bits=4)
        assert (mailed.flags, mailed.letter) == (Flags.TAKEN, letter_id(letter))
    assert stranger.mail(person.slot, letters[0], bits=4).flags == Flags.TAKEN  # once more, stored once
    answer = person.announce(RECORD)
    assert isinstance(answer, packets.Announced) and answer.flags & Flags.MAIL
    first = person.fetch()
    assert (first.count, first.letter) == (2, letters[0])
    assert person.fetch() == first  # until he says that he has it
    second = person.fetch(letter_id(letters[0]))
    assert (second.count, second.letter) == (1, letters[1])
    assert person.fetch(letter_id(letters[1])).count == 0


def test_a_letter_shows_work_of_this_hour() -> None:
    person = registered()
    stranger = Person(person.at, 1, ELSEWHERE)
    hour = NOW_S // 3600
    for away, flags in ((-2, Flags.NONE), (-1, Flags.TAKEN), (1, Flags.TAKEN), (2, Flags.NONE)):
        letter = fresh(f"at {away}", packets.MAIL_BYTES)
        mailed = stranger.mail(person.slot, letter, bits=4, hour=hour + away)
        assert (mailed.flags, mailed.bits) == (flags, 4)
    letter = fresh("idle", packets.MAIL_BYTES)
    idle = next(n for n in range(100) if work.bits_of(person.slot, hour, letter, n.to_bytes(8)) < 4)
    packet = packets.Mail(
        cookie=stranger.cookie(), slot=person.slot, hour=hour, counter=idle.to_bytes(8), letter=letter
    )
    answer = stranger.ask(packet.encode())
    assert isinstance(answer, packets.Mailed) and answer.flags == Flags.NONE


def test_a_full_mailbox_refuses_the_new_letter_and_grows_dearer_before() -> None:
    person = registered()
    stranger = Person(person.at, 1, ELSEWHERE)
    demanded = [stranger.mail(person.slot, fresh(str(n), packets.MAIL_BYTES), bits=15).bits for n in range(LETTERS)]
    assert demanded == [4 + (n + 1) // 5 for n in range(LETTERS)]
    refused = stranger.mail(person.slot, fresh("one more", packets.MAIL_BYTES), bits=15)
    assert refused.flags == Flags.FULL
    assert person.fetch().letter == fresh("0", packets.MAIL_BYTES)
    person.now_s += LETTER_S
    person.register("later")
    assert person.fetch().count == 0


def test_a_full_store_takes_nothing_new_and_loses_nothing() -> None:
    person = registered(rows=1)
    person.announce(RECORD)
    second = Person(person.at, 1)
    second.register("second")
    answer = second.announce(OTHER)
    assert isinstance(answer, packets.Announced) and answer.flags & Flags.FULL
    assert second.query(person.slot) == RECORD
    assert person.announce(OTHER) is not None and second.query(person.slot) == OTHER


def test_a_question_is_a_record_of_its_own() -> None:
    person = registered()
    stranger = Person(person.at, 1, ELSEWHERE)
    asked = stranger.ask(packets.Ask(number=bytes(8), slot=person.slot).encode())
    assert isinstance(asked, packets.Asked) and len(asked.record) == packets.QUESTION_BYTES
    question = fresh("question", packets.QUESTION_BYTES)
    assert isinstance(person.question(question), packets.Questioned)
    asked = stranger.ask(packets.Ask(number=b"8 bytes.", slot=person.slot).encode())
    assert asked == packets.Asked(number=b"8 bytes.", record=question)
    assert stranger.query(person.slot) != RECORD


def test_one_neighbourhood_is_bounded_and_others_are_not() -> None:
    at = service()
    crowd = [Person(at, source=Source(HOME.address[:15] + bytes([n]), 1)) for n in range(200)]
    answers = [one.ask(packets.Query(number=bytes(8), slot=bytes(16)).encode()) for one in crowd]
    assert sum(isinstance(answer, packets.Found) for answer in answers) == 120
    assert answers[-1] == packets.Trouble(about=Type.QUERY, problem=Problem.BUSY, now_s=NOW_S)
    assert len(Person(at, source=ELSEWHERE).query(bytes(16))) == packets.RECORD_BYTES


@given(
    kind=st.sampled_from([*range(16)]),
    body=st.binary(max_size=640),
    size=st.sampled_from([141, 199, 21, 171, 512, 492]),
)
def test_noise_is_answered_by_no_more_than_it_was(kind: int, body: bytes, size: int) -> None:
    at = service(factor=0)
    for raw in (body, bytes([first_byte(kind)]) + body, (bytes([first_byte(kind)]) + body).ljust(size, b"\0")[:size]):
        answer = at.handle(raw, HOME, NOW_S)
        assert answer is None or len(answer) <= len(raw)
    assert not at.table.records
