"""Python runs this at its start where the folder is on PYTHONPATH: it seals the vault, and plugs in a security key."""

import os
import sys
from pathlib import Path

if sys.orig_argv[-4:-3] == ["p2pchat.vault"] and "P2PCHAT_HOME" in os.environ:  # -m p2pchat.vault FD FD FD
    import sealed_vault

    sealed_vault.seal_at_first_answer(Path(os.environ["P2PCHAT_HOME"]))

if sys.orig_argv[-1:] == ["p2pchat.launch.dongle"] and "TEST_SECURITY_KEY" in os.environ:
    # A security key that is plugged in at USB.
    from fido2.hid import CtapHidDevice

    from tests.support.authenticator import Authenticator

    CtapHidDevice.list_devices = classmethod(
        lambda _: iter([Authenticator.load(Path(os.environ["TEST_SECURITY_KEY"]))])
    )
