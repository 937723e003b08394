"""The page that a stranger finds: dull, its own, and not careless."""

import re

from p2pchat.link.carriers.decoy import draw

PAGES = [draw(number.to_bytes(32)).page.decode() for number in range(500)]


def test_the_same_installation_shows_the_same_page() -> None:
    assert draw(bytes(31) + b"x") == draw(bytes(31) + b"x")


def test_installations_differ() -> None:
    assert len(set(PAGES)) > 490


def test_no_page_names_one_thing_twice() -> None:
    lists = [found for page in PAGES if (found := re.findall(r"<li>(\w+): ([\w ]+)</li>", page))]
    assert len(lists) > 50
    for (one, its_state), (other, other_state) in lists:
        assert one != other
        assert its_state != other_state
