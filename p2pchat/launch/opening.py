"""What opens a home, as the command line hands it to the launcher: one JSON object on a pipe, never an argument."""

import base64
import json
from dataclasses import dataclass, field
from typing import Final

from p2pchat.errors import Bug

MOST_BYTES: Final = 16 * 1024  # less than any pipe holds


@dataclass(frozen=True, slots=True)
class Opening:
    """A password, a dongle as the user named it with its PIN, or both; empty where there is none."""

    password: bytes = field(default=b"", repr=False)
    dongle: str = ""
    pin: str = field(default="", repr=False)

    def encode(self) -> bytes:
        password = base64.b64encode(self.password).decode()
        return json.dumps({"password": password, "dongle": self.dongle, "pin": self.pin}).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Opening":
        """Raises Bug: both ends are the same build."""
        try:
            shape = json.loads(data)
            return cls(base64.b64decode(shape["password"]), str(shape["dongle"]), str(shape["pin"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Bug("the launcher was not told what opens the home") from error
