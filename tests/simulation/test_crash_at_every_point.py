"""A vault dies at every commit and every frame of an agreement, on either side: afterwards everything arrives, once."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
import trio

from tests.support.sim_env import run_virtual
from tests.support.vault_pair import HOME, Pair, Person, Point, befriend, pair

DAY_MS = 24 * 3_600_000
Kind = Literal["first contact", "renewal"]


@dataclass
class Story:
    """Two friends of whom each wrote something before the link came up that brings a new epoch."""

    kind: Kind
    people: tuple[Person, Person]
    before: tuple[Any, Any]

    @classmethod
    def prepared(cls, kind: Kind) -> "Story":
        people = (Person(0), Person(1))

        async def main() -> None:
            async with pair(people) as joined:
                await befriend(joined)

        run_virtual(0, main)
        if kind == "first contact":  # as one that never came to an epoch, with queues that know each other
            for person in people:
                person.disk.thaw()
                person.disk.sql(HOME.store_db, "DELETE FROM channels")
        return cls(kind, people, (people[0].disk.copy(), people[1].disk.copy()))

    def tell(self, victim: int, doom: Point | None) -> list[Point]:
        """One run; the points that the victim's first life passed."""
        passed: list[Point] = []

        async def main() -> None:
            async with pair(self.people) as joined:
                passed.extend(await self._live(joined, self.people[victim], doom))

        for person, copy in zip(self.people, self.before, strict=True):
            person.disk.crash()
            person.disk.thaw()
            person.disk.put_back(copy)
            person.clock.skew_ms = DAY_MS + 60_000 if self.kind == "renewal" else 0
        run_virtual(0, main)
        return passed

    async def _live(self, joined: Pair, victim: Person, doom: Point | None) -> list[Point]:
        """Raises AssertionError where something is lost, or comes twice, or out of order."""
        alive = joined.other(victim)
        ids = {person: (await joined.other(person).call("whoami"))["id"] for person in self.people}
        for text in ("one", "two"):
            for person in self.people:
                await person.call("send", to=[ids[person]], text=text)
        victim.passed.clear()
        victim.doom = doom
        await joined.connect()
        with trio.move_on_after(30):
            await victim.dead.wait()
        passed = list(victim.passed)
        if doom is not None:
            assert victim.dead.is_set(), "it never came to that point"
            victim.doom = None
            await joined.cut()
            await joined.start(victim)
            await joined.connect()
        for person in self.people:
            await person.call("send", to=[ids[person]], text="three")
        await trio.sleep(30)
        for person in (victim, alive):
            assert await person.texts() == ["hello", "one", "two", "three"]
            assert (await person.call("status"))["outbox"] == 0
            shown = await person.call("contact.show", peer=ids[person])
            assert shown["channel"] == "ok"
            found = await person.call("event.next", since=0, all=True)
            assert [event for event in found["events"] if event["type"] == "warning"] == []
        epochs = {(await person.call("contact.show", peer=ids[person]))["epoch"] for person in self.people}
        assert len(epochs) == 1
        assert min(epochs) >= (1 if self.kind == "first contact" else 2)
        return passed


def every_point(story: Story, victim: int, *, one_in: int = 1) -> int:
    """Tries them; how many they were."""
    points = story.tell(victim, None)
    assert {point.what for point in points} == {"before a commit", "after a commit", "sends"}
    chosen = points[::one_in]
    for point in chosen:
        try:
            story.tell(victim, point)
        except BaseException as error:
            raise AssertionError(f"dead {point.what} {point.number}") from error
    return len(chosen)


@pytest.mark.parametrize("kind", ["first contact", "renewal"])
def test_some_points(kind: Kind) -> None:
    story = Story.prepared(kind)
    assert every_point(story, 0, one_in=19) + every_point(story, 1, one_in=19) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("kind", ["first contact", "renewal"])
def test_every_point(kind: Kind, victim: int) -> None:
    tried = every_point(Story.prepared(kind), victim)
    print(f"\n{kind}, person {victim}: {tried} points")
    assert tried >= 20
