"""A card that version 1 wrote, and six ways in which it must be refused."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from p2pchat.contacts.card import armour, read_card, unarmour
from p2pchat.errors import P2PChatError
from p2pchat.ids import user_id_text

VECTOR: Final[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "card_v1.json").read_text())


def test_the_stored_card_is_read() -> None:
    read = read_card(VECTOR["file"].encode(), now_ms=VECTOR["now_ms"])
    assert (user_id_text(read.user), read.nickname) == (VECTOR["id"], VECTOR["nickname"])
    assert read.addresses is not None
    found = [f"{address.host} {address.port} {address.carrier}" for address in read.addresses.addresses]
    assert found == VECTOR["addresses"]
    assert armour(unarmour(VECTOR["file"].encode())).decode() == VECTOR["file"]


@pytest.mark.parametrize("case", VECTOR["refused"], ids=lambda case: case["what"])
def test_the_altered_card_is_refused(case: dict[str, Any]) -> None:
    text = VECTOR["file"]
    if case["at"] is not None:
        text = text[: case["at"]] + case["to"] + text[case["at"] + 1 :]
    with pytest.raises(P2PChatError) as caught:
        read_card(text.encode(), now_ms=case["now_ms"])
    assert (caught.value.code, caught.value.message) == (case["code"], case["message"])
    assert caught.value.exit_status == 6
