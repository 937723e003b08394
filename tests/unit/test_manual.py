"""The manual page says what the program says, in macros that groff takes without a word."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from p2pchat.errors import every_error
from p2pchat.manual import page
from tests.unit.test_cli import COMMANDS

FILE = Path(__file__).parents[2] / "docs" / "man" / "p2pchat.1"


def test_the_page_that_packages_install_is_that_of_this_code() -> None:
    """After a change of verbs: python -m p2pchat.manual > docs/man/p2pchat.1"""
    assert FILE.read_text() == page()


def test_every_verb_option_and_exit_status_is_in_it() -> None:
    text = page().replace("\\-", "-")
    verbs = set(re.findall(r'^\.SS "p2pchat (.*)"$', text, re.MULTILINE))
    nouns = {name.split()[0] for name, _ in COMMANDS if " " in name}
    assert verbs == {name for name, _ in COMMANDS} - nouns
    for name, command in COMMANDS:
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and not getattr(parameter, "hidden", False):
                    assert option in text, name
    assert all(error.code in text for error in every_error())


@pytest.mark.parametrize(
    "command",
    [
        ["groff", "-man", "-Tutf8", "-ww", "-b", "-z"],
        ["mandoc", "-Tlint", "-Wwarning"],
        ["man", "--warnings", "-l", "-E", "UTF-8"],
    ],
    ids=lambda words: words[0],
)
def test_formatters_take_it_without_a_warning(command: list[str]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]}")
    done = subprocess.run([*command, str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff")
def test_what_is_read_on_the_screen() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", str(FILE)], capture_output=True, text=True, check=True
    )
    words = " ".join(done.stdout.split())
    assert "git log -1 | p2pchat send bob carol - --wait delivered" in words
    assert "jq 'select(.ok | not)'" in words, "quotes can be copied"
    assert "3 NO_DAEMON." in words
