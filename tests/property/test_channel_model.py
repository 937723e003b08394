"""The world of the search (tests/simulation), without its bounds: long ways, many crashes, stores put back again."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support import channel_model as model
from tests.support.channel_model import Left, World
from tests.support.channel_search import check_fair_link, check_health, check_rest, friends

ENDLESS = Left(links=9, messages=9, renewals=9, rollbacks=9)
SIDES = st.sampled_from(["lo", "hi"])


class TwoVaults(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world: World = friends(ENDLESS)

    def go(self, name: str, choice: int = 0) -> None:
        """Make the move of that name, if it can be made now; ``choice`` among several."""
        found = [move for called, move in model.moves(replace(self.world, left=ENDLESS)) if called == name]
        if found:
            self.world = found[choice % len(found)]()

    @rule()
    def connect(self) -> None:
        self.go("connect")

    @rule(side=SIDES, frames=st.integers(1, 4))
    def frames_arrive(self, side: str, frames: int) -> None:
        for _ in range(frames):
            self.go(f"{side} takes a frame")

    @rule(side=SIDES)
    def leg_opens(self, side: str) -> None:
        self.go(f"{side} opens a leg")

    @rule(side=SIDES)
    def drop(self, side: str) -> None:
        """The link on one side; the other may still take what was on its way."""
        self.go(f"{side} loses the link")

    @rule(side=SIDES, moved=st.sampled_from(["takes a frame", "opens a leg", "writes"]))
    def crash_after_a_commit(self, side: str, moved: str) -> None:
        """Nothing of what the commit was to let out has left."""
        before = self.world.end(side).flight
        self.go(f"{side} {moved}")
        self.world = self.world.having(side, replace(self.world.end(side), flight=before))
        self.go(f"{side} loses the link")

    @rule(side=SIDES)
    def write(self, side: str) -> None:
        self.go(f"{side} writes")

    @rule(side=SIDES, reset=st.booleans())
    def renew(self, side: str, reset: bool) -> None:
        self.go(f"{side} wants {'a reset' if reset else 'new keys'}")

    @rule(side=SIDES, age=st.integers(0, 20))
    def put_back(self, side: str, age: int) -> None:
        self.go(f"{side} is put back", age)

    @precondition(lambda self: self.world.quiet)
    @rule()
    def rest(self) -> None:
        check_rest(self.world)

    @invariant()
    def nobody_gives_up(self) -> None:
        check_health(self.world)

    def teardown(self) -> None:
        """Whatever happened: one undisturbed link is enough."""
        check_fair_link(self.world)


TwoVaults.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_one_undisturbed_link_is_enough = TwoVaults.TestCase
