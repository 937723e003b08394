"""The short-lived child that reaches a dongle: one JSON object on stdin, 32 bytes on stdout.

Drivers of smart cards and security keys are other people's machine code, so nothing else runs where they do. An error
is one JSON object on stderr and the error's exit status.
"""

import json
import os
import signal
import sys
from typing import Final

from p2pchat.errors import P2PChatError
from p2pchat.hardening import refuse_dumps
from p2pchat.keys.dongle import fido2, key_file, pkcs11
from p2pchat.keys.dongle.spec import Spec, parse_spec

PATIENCE_S: Final = 45  # a touch is waited for 30 s


def answer(spec: Spec, pin: str, *, create: bool) -> bytes:
    """32 bytes. ``create``: put a key onto it first, unless it has one. Raises what the dongles' modules raise."""
    if spec.kind == "file":
        if create and not os.path.lexists(spec.path):
            key_file.create(spec.path, os.urandom(key_file.KEY_BYTES))
        return key_file.answer(spec.path)
    if spec.kind == "pkcs11":
        if create:
            pkcs11.create(spec.path, spec.token, pin)
        return pkcs11.answer(spec.path, spec.token, pin)
    devices = fido2.system_devices()
    if create:
        fido2.create(devices, pin)
    return fido2.answer(devices)


def main() -> int:
    refuse_dumps()
    signal.alarm(PATIENCE_S)  # a driver that hangs in machine code runs no handler of ours: the signal ends it all
    try:
        asked = json.loads(sys.stdin.buffer.read())
        secret = answer(parse_spec(asked["spec"]), asked["pin"], create=asked["create"])
    except P2PChatError as error:
        sys.stderr.write(json.dumps(error.as_json()) + "\n")
        return error.exit_status
    sys.stdout.buffer.write(secret)
    return 0


if __name__ == "__main__":
    sys.exit(main())
