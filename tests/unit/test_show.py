"""What peers write, made harmless: the terminal entries of the hostile input catalogue (walls 4.8)."""

import random
import re
import unicodedata

import pytest

from p2pchat.show import (
    BODY_BYTES,
    COMBINING_MARKS,
    GUTTER,
    LINE_COLUMNS,
    NICKNAME_COLUMNS,
    show,
    show_body,
    show_name,
    skeleton,
    width,
)

ID = "pc1" + "q" * 58
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f]")
OURS = "\u2068\u2069"  # the marks with which right-to-left text is isolated
ZWJ = "\u200d"


def harmless(text: str) -> bool:
    categories = {unicodedata.category(char) for char in text if char not in OURS and char != ZWJ}
    return not FORBIDDEN.search(text) and not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_plain_text_stays_as_it_is() -> None:
    for text in ("hello", "Grüße, 世界!", "naïve Ωμέγα", "👋🏽 👩‍👩‍👧 ❤️", "a  b", "<U+202E> is what bidi attacks use"):
        assert show(text) == unicodedata.normalize("NFC", text)


def test_every_code_point_is_harmless() -> None:
    for start in range(0, 0x110000, 2048):
        text = "x".join(map(chr, range(start, start + 2048)))
        assert harmless(show(text, columns=10**9)), hex(start)


def test_every_code_point_that_is_hidden_is_named() -> None:
    for code in (0, 7, 0x1B, 0x7F, 0x85, 0x9B, 0xAD, 0x200B, 0x2028, 0x202E, 0xD800, 0xE000, 0xFEFF, 0xE0001, 0x10FFFF):
        assert show(f"a{chr(code)}b") == f"a<U+{code:04X}>b"


def test_random_strings_are_harmless() -> None:
    chance = random.Random(4_8)
    alphabet = "\x1b[2J\x07\x08\r\n\t\x9b\u202e\u2066\u200d\u200b\ufeff\u0301\u0338\ufe0f👩🏽א\u0627ab <>\u3164日"
    for _ in range(5000):
        text = "".join(chance.choices(alphabet, k=chance.randrange(1, 40)))
        assert harmless(show(text)), repr(text)
        for line in show_body(text).split("\n"):
            assert harmless(line), repr(text)
            assert line.startswith(GUTTER.rstrip()), repr(text)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param("\x1b[2J\x1b[H", id="H079 clear screen"),
        pytest.param("\x1b[10A\x1b[K", id="H079 cursor up and erase"),
        pytest.param("\x1b]0;title\x07", id="H080 window title"),
        pytest.param("\x1b[21t", id="H080 title report"),
        pytest.param("\x1b]52;c;cm0gLXJmIH4=\x07", id="H081 clipboard write"),
        pytest.param("\x1b]52;c;?\x07", id="H081 clipboard read"),
        pytest.param("\x1b]8;;https://evil.example\x1b\\bank.example\x1b]8;;\x1b\\", id="H082 link"),
        pytest.param("\x1bP+q544e\x1b\\", id="H083 DCS"),
        pytest.param("\x1b_Gf=24\x1b\\", id="H083 APC"),
        pytest.param("\x1b^x\x1b\\", id="H083 PM"),
        pytest.param("\x1bXx\x1b\\", id="H083 SOS"),
        pytest.param("\x9b2J\x9d0;t\x9c", id="H084 C1"),
        pytest.param("\x07" * 1000, id="H085 bells"),
        pytest.param("hello\rAlice: yes", id="H086 carriage return"),
        pytest.param("no\x08\x08yes", id="H086 backspace"),
        pytest.param("gpj.\u202egnp", id="H088 override"),
        pytest.param("\u2066a\u2067b\u2069", id="H088 isolates"),
        pytest.param("pay\u200bpal\u2060\ufeff", id="H089 zero width"),
        pytest.param("hi\U000e0068\U000e0069", id="H089 tags"),
        pytest.param("\ue000\U000f0000\u0378\ud800", id="H094 private, unassigned, surrogate"),
        pytest.param("\x7f\x00\t", id="H095 DEL NUL TAB"),
    ],
)
def test_H079_to_H095_no_attack_reaches_the_terminal(attack: str) -> None:
    assert harmless(show(attack))
    assert "<U+" in show(attack)
    assert all(harmless(line) for line in show_body(attack).split("\n"))
    assert harmless(show_name(attack, ID))


def test_H087_a_newline_cannot_fake_another_speakers_line() -> None:
    text = "hi\n2026-01-01 08:00:00  pc1aaaaaaaa bob: I agree\r\nend"
    assert "\n" not in show(text)
    assert show_body(text).split("\n") == [
        f"{GUTTER}hi",
        f"{GUTTER}2026-01-01 08:00:00  pc1aaaaaaaa bob: I agree",
        f"{GUTTER}end",
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_H087_other_line_separators_do_not_break_lines(separator: str) -> None:
    assert len(show_body(f"a{separator}b").splitlines()) == 1


def test_H088_right_to_left_text_is_isolated() -> None:
    assert show("שלום") == "\u2068שלום\u2069"
    assert show_body("שלום\nabc") == f"{GUTTER}\u2068שלום\u2069\n{GUTTER}abc"
    for text in ("שלום", "\u2069שלום\u2068", "a\u0627"):
        shown = show(text)
        assert shown.count("\u2068") == shown.count("\u2069") == 1
    assert harmless(show("שלום")) and show("שלום" * 20, 10).endswith("\u2069")


def test_H089_letters_that_draw_nothing_are_named() -> None:
    assert show("\u3164\u2800\u115f\uffa0") == "<U+3164><U+2800><U+115F><U+FFA0>"


def test_H089_a_presentation_mark_stands_on_a_symbol_alone() -> None:
    for text in ("❤️", "☀︎", "1️⃣", "#️⃣", "‼️", "©️", "〰️", "🏳️‍🌈"):
        assert show(text) == text
    for text in ("a\ufe0fb", "\ufe0f", "1\ufe0f", "a\ufe00", "葛\U000e0100", "\u0301\ufe0f"):
        assert "<U+FE" in show(text) or "<U+E01" in show(text), ascii(text)


def test_H090_letters_that_are_drawn_over_one_another_are_bounded() -> None:
    for mark in ("\u1161", "\u11a8", "\ud7b0", "\u0903", "\u20dd"):
        shown = show("x" + mark * 100)
        assert unicodedata.normalize("NFD", shown).count(mark) == COMBINING_MARKS and shown.endswith("<more marks>")
        assert show(mark).startswith("\u25cc")
    for word in ("한국어", "हिन्दी की", "ക്ഷ്ച്ച", "နိုင်ငံ", "ภาษาที่"):
        assert show(unicodedata.normalize("NFD", word)) == unicodedata.normalize("NFC", word)


def test_H090_combining_marks_are_bounded() -> None:
    shown = show("e" + "\u0323\u0301" * 250)
    decomposed = unicodedata.normalize("NFD", shown)
    assert sum(unicodedata.category(c) == "Mn" for c in decomposed) == COMBINING_MARKS
    assert shown.endswith("<more marks>")


def test_H090_a_mark_never_sits_on_what_is_not_the_peers() -> None:
    for text in ("\u0338bc", "\u200b\u0338", "\x1b\u0338"):
        assert ">\u0338" not in unicodedata.normalize("NFD", show(text))
        assert "\u25cc\u0338" in show(text)
    assert show_body("\u0338").startswith(f"{GUTTER}\u25cc")


def test_H091_wide_characters_and_emoji_are_measured() -> None:
    assert [width(text) for text in ("abc", "日本", "👩‍👩‍👧", "👋🏽", "e\u0301", "ｆ")] == [3, 4, 2, 2, 1, 2]
    assert show("日本語", 5) == "日本…"
    assert width(show("日" * 100, NICKNAME_COLUMNS)) <= NICKNAME_COLUMNS


def test_H091_a_skin_tone_alone_is_wide() -> None:
    assert [width(text) for text in ("🏽", "a🏽", "👋🏽", "🏽🏽", "✌️🏽")] == [2, 3, 2, 4, 1]


def test_H091_a_joiner_passes_only_between_emoji() -> None:
    assert ZWJ in show("👩🏽‍🚀") and ZWJ in show("🏳️‍🌈")
    for text in ("a\u200db", "👩\u200d", "\u200d👩", "👩\u200d\u200d👩", "👩\u200da"):
        assert show(text).count(ZWJ) == 0, repr(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "Воb"),
        ("alice", "аlісе"),
        ("admin", "adrnin"),
        ("bill", "b1ll"),
        ("zoë", "zoe"),
        ("b o", "bo"),
        ("bob", "bօb"),
        ("tom", "ᴛᴏᴍ"),
        ("will", "vvill"),
        ("ada", "ａｄａ"),
        ("ada", "𝒶𝒹𝒶"),
    ],
)
def test_H092_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_H092_names_that_differ_have_different_skeletons() -> None:
    assert len({skeleton(name) for name in ("bob", "alice", "ada", "борис", "日本", "")}) == 6


def test_H092_the_short_id_stands_before_the_nickname() -> None:
    assert show_name("bob", ID) == "pc1qqqqqqqq bob"
    assert show_name("pc1zzzzzzzz   bob", ID) == "pc1qqqqqqqq pc1zzzzzzzz bob"
    assert show_name(None, ID) == show_name(" \n", ID) == "pc1qqqqqqqq"
    assert width(show_name("x" * 1000, ID)) <= 12 + NICKNAME_COLUMNS


def test_H093_a_long_word_is_wrapped_or_cut() -> None:
    text = "x" * 10_000_000
    assert width(show(text)) == LINE_COLUMNS
    lines = show_body(text).split("\n")
    assert all(width(line) <= LINE_COLUMNS + len(GUTTER) for line in lines[:-1])
    assert sum(line.count("x") for line in lines[:-1]) == BODY_BYTES
    assert f"{10_000_000 - BODY_BYTES} bytes more" in lines[-1]


def test_a_message_within_the_limit_is_shown_whole() -> None:
    text = "é" * 32_500
    assert show_body(text).count("é") == 32_500


def test_tabs_in_a_body_become_spaces() -> None:
    assert show_body("a\tb\n\tc") == f"{GUTTER}a       b\n{GUTTER}        c"


def test_many_marks_take_no_quadratic_time() -> None:
    text = "\u0300\u0316" * 16_000  # normalising these would sort 32,000 marks by insertion
    assert harmless(show(text))
