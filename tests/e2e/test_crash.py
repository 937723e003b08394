"""Kill -9 under traffic: what ``send`` printed is shown by ``recv`` exactly once, in order (histories kept here)."""

import os
import random
from pathlib import Path

import pytest

from tests.support.daemons import CommandFailed, Follower, Node, Sender, befriend, nodes, wait_for

KILLS = int(os.environ.get("P2PCHAT_TEST_KILLS", "60"))
VICTIMS = [("launcher",), ("vault",), ("gate",), ()]  # () = all three


def revive(node: Node) -> None:
    """Start the daemon again, as its user would; the lock may be held for a moment by children that are ending."""

    def up() -> bool:
        try:
            node.start()
        except CommandFailed as failed:
            assert failed.status == 1, failed
            return False
        return True

    wait_for(up, seconds=20, what="the daemon to start again")


@pytest.mark.slow
def test_sixty_kills_lose_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("P2PCHAT_TEST_SEED", str(random.randrange(10**6))))
    print(f"seed {seed}")
    chance = random.Random(seed)
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        followers = [Follower(a), Follower(b)]
        senders = [Sender(a, b.id, seed + 1), Sender(b, a.id, seed + 2)]
        try:
            for _ in range(KILLS):
                senders[0].ending.wait(chance.uniform(0.1, 1.0))
                victim, names = chance.choice([a, b]), chance.choice(VICTIMS)
                victim.kill(*names)
                if names in ((), ("launcher",)):
                    revive(victim)
            for sender in senders:
                sender.close()
            for sender, follower in zip(senders, reversed(followers), strict=True):
                assert sender.printed, sender.refused[-3:]
                wait_for(
                    lambda s=sender, f=follower: len(f.seen) >= len(s.printed),  # type: ignore[misc]
                    seconds=60,
                    what=f"all messages (seed {seed})",
                )
                seen = [event["message"] for event in follower.seen]
                assert len(set(seen)) == len(seen), f"shown twice (seed {seed})"
                missing = [m for m in sender.printed if m not in set(seen)]
                assert not missing, f"lost {len(missing)} of {len(sender.printed)} (seed {seed})"
                printed = set(sender.printed)
                assert [m for m in seen if m in printed] == sender.printed, f"out of order (seed {seed})"
        finally:
            for sender in senders:
                sender.close()
            for follower in followers:
                follower.close()
