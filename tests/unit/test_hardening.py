import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_neither_core_files_nor_debuggers_see_the_memory() -> None:
    words = (
        "import ctypes, resource; from p2pchat.hardening import refuse_dumps; refuse_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0\n"
