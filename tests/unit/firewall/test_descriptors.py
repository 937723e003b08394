"""A process of its own each time: a limit, once lowered, would bind the tests behind it."""

import subprocess
import sys

import pytest

from p2pchat.firewall.descriptors import DESCRIPTORS
from p2pchat.limits import HALF_OPEN_LINKS

PROGRAM = """
import resource, sys
from p2pchat.firewall.descriptors import make_room
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
make_room(int(sys.argv[3]))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "given"),
    [(100, 900, 500, 500), (100, 300, 500, 300), (400, 900, 300, 400)],
    ids=["enough", "as far as it goes", "never less"],
)
def test_the_soft_limit_is_raised(soft: int, hard: int, wanted: int, given: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(soft), str(hard), str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [str(given), str(hard)]


def test_strangers_at_the_door_take_a_small_part() -> None:
    assert DESCRIPTORS > 2 * HALF_OPEN_LINKS
