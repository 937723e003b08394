"""The real launcher with ``fake_child`` for vault and gate, an unlock child without Argon2id, and short delays."""

import sys
from pathlib import Path

from p2pchat.launch.__main__ import main
from p2pchat.launch.backoff import Backoff
from p2pchat.launch.programs import Programs, own

CHILD = (sys.executable, str(Path(__file__).with_name("fake_child.py")))
# The password is ``right``; the file's name is the last argument. The keys are 32 times "v" and 32 times "g".
UNLOCK = (
    "import sys; right = sys.stdin.read() == 'right'; "
    "print(end='v' * 32 + 'g' * 32 if right else ''); "
    """right or sys.exit('{"code": "WRONG_PASSWORD", "message": "the password is wrong", "hint": "try again"}')"""
)
FAKES = Programs((*CHILD, "vault"), (*CHILD, "gate"), (sys.executable, "-c", UNLOCK), own().dongle)

if __name__ == "__main__":
    sys.exit(main(own=FAKES, backoff=Backoff(early_delays_s=(0.01, 0.02))))
