"""Clocks that are years off: what depends on time says so, everything else goes on, and nothing is lost."""

from pathlib import Path

import pytest

from tests.support.complaints import refused
from tests.support.daemons import befriend, nodes, wait_for
from tests.support.shifted import start_shifted

pytestmark = pytest.mark.slow
YEARS = 3650  # days of about ten


def test_friends_write_on_across_clock_jumps_of_years(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (a, b):
        a.start()
        b.start()
        befriend(a, b)
        sent, back = [], []
        for days in (YEARS, -YEARS, 0):
            a.stop()
            start_shifted(a, days)
            out = a.json("send", b.id, f"at {days}")
            sent.append(out["message"])
            back.append(b.json("send", a.id, f"at {days}, back", "--wait", "delivered")["message"])
            if days == YEARS:  # b's keys have long expired there: sending pauses and says why (protocol.md 3)
                (waiting,) = a.lines("outbox", "list")
                assert waiting["state"] == "queued" and "by this machine's clock" in waiting["reason"]
            else:
                wait_for(lambda: a.lines("outbox", "list") == [], seconds=30, what="the outbox")
        assert [event["message"] for event in b.lines("recv")] == sent
        assert [event["message"] for event in a.lines("recv")] == back
        for one, other in ((a, b), (b, a)):
            assert len(one.lines("history", other.id)) == 6
            assert "(clock wrong)" in one.ok("history", other.id)


def test_cards_and_a_wrong_clock_point_at_the_clock(tmp_path: Path) -> None:
    with nodes(tmp_path, 0, 1) as (a, b):
        b.start()
        start_shifted(a, YEARS)
        (tmp_path / "b.card").write_text(b.ok("contact", "card"))
        refused(a, "UNTRUSTED", "contact", "add", str(tmp_path / "b.card"), says="this machine's clock says 203")
        a.stop()
        start_shifted(a, -YEARS)
        (tmp_path / "a.card").write_text(a.ok("contact", "card"))
        refused(b, "UNTRUSTED", "contact", "add", str(tmp_path / "a.card"), says="the card was good until 201")
        a.ok("contact", "add", str(tmp_path / "b.card"))  # not yet made, by a's clock: no reason to refuse
        a.stop()
        a.start()
        (tmp_path / "a.card").write_text(a.ok("contact", "card"))
        b.ok("contact", "add", str(tmp_path / "a.card"))
        wait_for(lambda: [c["state"] for c in b.lines("contact", "list")] == ["accepted"], seconds=30, what="both")
        assert b.json("send", a.id, "on the same day", "--wait", "delivered")["state"] == "delivered"
