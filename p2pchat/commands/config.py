"""``config path|list|get|set``: through the daemon where one runs, else straight on the home's file."""

import click

from p2pchat.commands import candidates
from p2pchat.commands.arguments import names_among, text_argument
from p2pchat.commands.ask import Row, ask
from p2pchat.commands.frame import Noun, Settings, pass_settings
from p2pchat.commands.layout import print_fields, print_table
from p2pchat.commands.output import say
from p2pchat.config import KEYS, Value, change, known, load
from p2pchat.errors import NoDaemon

config = Noun(
    "config",
    help="Read and change settings. Each is a line of one file, which may be edited by hand, too.",
    examples=("p2pchat config list", "p2pchat config set advertise 203.0.113.7:9000"),
)


@config.verb("path", "p2pchat config path", "$EDITOR $(p2pchat config path --json | jq -r .path)")
@pass_settings
def path(settings: Settings) -> None:
    """Say where the file is."""
    print_fields(settings, {"path": str(settings.home.config_file)})


@config.verb("list", "p2pchat config list", "p2pchat config list --json | jq -r '.key + \"=\" + .value'")
@pass_settings
def list_(settings: Settings) -> None:
    """List all settings with their values."""
    items = [_setting(settings, key) for key in sorted(KEYS)]
    print_table(settings, items, ("key", "value", "default", "help"))


@config.verb("get", "p2pchat config get listen", "p2pchat config get receipts --json")
@click.argument("key", shell_complete=candidates.settings_)
@pass_settings
def get(settings: Settings, key: str) -> None:
    """Show one setting."""
    print_fields(settings, _setting(settings, text_argument("a setting", key, 64)))


@config.verb("set", "p2pchat config set receipts true", "p2pchat config set listen 0.0.0.0:9000")
@click.argument("key", shell_complete=candidates.settings_)
@click.argument("value")
@pass_settings
def set_(settings: Settings, key: str, value: str) -> None:
    """Change one setting; several values of a list are parted by commas."""
    text_argument("the value", value or "-", 4096)
    known(key)
    try:
        changed = ask(settings, "config.set", {"key": key, "value": value})
    except NoDaemon:
        settings.home.create()
        change(settings.home.config_file, key, value)
        changed = {**_setting(settings, key), "restart": False}
    print_fields(settings, changed)
    for name in names_among(filter(None, str(changed["value"]).split(","))) if key == "advertise" else []:
        say(settings, f"nobody looks up a name on a card: give the IP address of {name}")
    if changed["restart"]:
        say(settings, "it counts after the next start: p2pchat daemon stop; p2pchat daemon start")


def _setting(settings: Settings, name: str) -> Row:
    """The file is the truth: the daemon reads the same one."""
    key = known(name)
    value = load(settings.home.config_file).get(name)
    return {"key": name, "value": _words(value), "default": _words(key.default), "help": key.help}


def _words(value: Value) -> str:
    """A value as ``config set`` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)
