"""Python runs this at its start where the folder is on PYTHONPATH: it seals the vault, and no other process."""

import os
import sys
from pathlib import Path

if sys.orig_argv[-4:-3] == ["p2pchat.vault"] and "P2PCHAT_HOME" in os.environ:  # -m p2pchat.vault FD FD FD
    import sealed_vault

    sealed_vault.seal_at_first_answer(Path(os.environ["P2PCHAT_HOME"]))
