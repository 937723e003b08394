"""How users name a dongle: ``file:PATH``, ``pkcs11:MODULE?token=LABEL``, ``fido2``; ``+password`` asks for both."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import parse_qsl, quote

from p2pchat.errors import Usage

CHALLENGE: Final = sha256(b"p2pchat/1/dongle").digest()  # the same for every container: its own salt comes in later
SECRET_BYTES: Final = 32
SPEC_CHARS: Final = 4096
_BOTH: Final = "+password"
_FORMS: Final = "file:PATH, pkcs11:MODULE?token=LABEL or fido2, and +password behind it for both"

Kind = Literal["file", "pkcs11", "fido2"]


@dataclass(frozen=True, slots=True)
class Spec:
    """A dongle as the user named it."""

    kind: Kind
    path: str = ""  # of the key file, or of the module
    token: str = ""
    with_password: bool = False

    @property
    def text(self) -> str:
        """As it is named again later, without the word about a password: containers tell that themselves."""
        return {
            "file": f"file:{self.path}",
            "pkcs11": f"pkcs11:{self.path}?token={quote(self.token)}",
            "fido2": "fido2",
        }[self.kind]


def parse_spec(text: str) -> Spec:
    """Raises Usage."""
    with_password = text.endswith(_BOTH)
    kind, _, rest = text.removesuffix(_BOTH).partition(":")
    if len(text) > SPEC_CHARS or not text.isprintable():
        raise Usage("the name of a dongle is too long, or holds control characters", hint=_FORMS)
    if kind == "fido2" and not rest:
        return Spec("fido2", with_password=with_password)
    if kind == "file" and rest:
        return Spec("file", rest, with_password=with_password)
    if kind == "pkcs11":
        module, _, query = rest.partition("?")
        token = [value for name, value in parse_qsl(query) if name == "token"]
        if module and len(token) == 1:
            return Spec("pkcs11", module, token[0], with_password)
    raise Usage(f"{text!r} names no dongle", hint=f"SPEC is {_FORMS}")
