"""How users name dongles."""

import pytest

from p2pchat.errors import Usage
from p2pchat.keys.dongle.spec import SPEC_CHARS, Spec, parse_spec

CARD = "pkcs11:/usr/lib/softhsm/libsofthsm2.so?token=my%20card"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("file:/media/stick/key", Spec("file", "/media/stick/key")),
        ("file:a:b?c=d", Spec("file", "a:b?c=d")),
        (CARD, Spec("pkcs11", "/usr/lib/softhsm/libsofthsm2.so", "my card")),
        ("fido2", Spec("fido2")),
    ],
)
def test_each_kind_with_and_without_a_password(text: str, spec: Spec) -> None:
    assert parse_spec(text) == parse_spec(spec.text) == spec
    assert parse_spec(f"{text}+password").with_password
    assert parse_spec(f"{text}+password").text == spec.text


@pytest.mark.parametrize(
    "text",
    [
        *("", "file", "file:", "fido2:x", "usb:x", "+password", "pkcs11:", "pkcs11:m", "pkcs11:m?token="),
        *("pkcs11:?token=x", "pkcs11:m?token=a&token=b", "pkcs11:m?" + "a=b&" * 9),
        *("file:a\nb", "file:" + "x" * SPEC_CHARS),
    ],
)  # fmt: skip
def test_anything_else_is_no_dongle(text: str) -> None:
    with pytest.raises(Usage):
        parse_spec(text)
