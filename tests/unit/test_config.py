import tomllib
from pathlib import Path

import pytest

from p2pchat import config
from p2pchat.errors import BadFormat, NotFound

WRITTEN = """\
# how I like it
listen = "127.0.0.1:7000"   # the lab

"advertise" = [
  "chat.example:7000",  # the router
  "[2001:db8::1]:7000",
]
# receipts = true
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_means_all_defaults(path: Path) -> None:
    settings = config.load(path)
    assert {name: settings.get(name) for name in config.KEYS} == {k.name: k.default for k in config.KEYS.values()}


def test_every_default_passes_its_own_check() -> None:
    assert [key.check(key.default) for key in config.KEYS.values()] == [None] * len(config.KEYS)


def test_a_file_is_read(path: Path) -> None:
    path.write_text(WRITTEN)
    settings = config.load(path)
    assert settings.listen == "127.0.0.1:7000"
    assert settings.advertise == ("chat.example:7000", "[2001:db8::1]:7000")
    assert settings.receipts is False


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("listen", "[::]:0", "[::]:0"),
        ("advertise", " a.example:1 , b.example:2", ("a.example:1", "b.example:2")),
        ("advertise", "", ()),
        ("receipts", "ON", True),
        ("receipts", "false", False),
        ("log_level", "debug", "debug"),
    ],
)
def test_a_change_keeps_everything_else(path: Path, name: str, text: str, value: config.Value) -> None:
    path.write_text(WRITTEN)
    before = tomllib.loads(WRITTEN)
    assert config.change(path, name, text) == value
    assert config.load(path).get(name) == value
    after = tomllib.loads(path.read_text())
    assert {**after, name: 0} == {**before, name: 0}
    assert "# how I like it" in path.read_text()
    assert "# receipts = true" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("listen", "7000"),
        ("listen", "host:70000"),
        ("listen", "host:-1"),
        ("listen", 'h":1'),
        ("listen", "h\x7f:1"),
        ("listen", "::1:80"),
        ("listen", ""),
        ("advertise", "a.example"),
        ("advertise", "a.example:0"),
        ("advertise", ",".join(["a.example:1"] * 9)),
        ("receipts", "maybe"),
        ("log_level", "loud"),
    ],
)
def test_an_ill_value_is_refused_and_nothing_written(path: Path, name: str, text: str) -> None:
    with pytest.raises(BadFormat):
        config.change(path, name, text)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        "nonsense",
        "colour = 'red'",
        "listen = 7000",
        "receipts = 1",
        "receipts = 'yes'",
        "advertise = 'a:1'",
        "advertise = [1]",
        "[listen]\nx = 1",
        "listen = '''\n",
        "x = " + "[" * 20_000,
        "# " + "x" * config.CONFIG_BYTES,
    ],
)
def test_an_ill_file_is_one_clear_error(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(BadFormat, match=r"config\.toml") as raised:
        config.load(path)
    assert raised.value.hint
    with pytest.raises(BadFormat):
        config.change(path, "log_level", "debug")
    assert path.read_text() == content


def test_bytes_that_are_no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFormat, match="UTF-8"):
        config.load(path)


def test_an_unknown_key_is_not_found(path: Path) -> None:
    with pytest.raises(NotFound):
        config.change(path, "colour", "red")
    with pytest.raises(NotFound):
        config.load(path).get("colour")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a.example:80", ("a.example", 80)),
        ("[fe80::1%eth0]:0", ("fe80::1%eth0", 0)),
        ("1.2.3.4:65535", ("1.2.3.4", 65535)),
        ("a:65536", None),
        ("a:8٠", None),
        ("a b:80", None),
        ("user@a:80", None),
        ("a/b:80", None),
        ("a" * 300 + ":80", None),
        (":80", None),
    ],
)
def test_addresses(text: str, address: tuple[str, int] | None) -> None:
    assert config.split_address(text) == address


def test_an_ill_setting_can_be_mended_by_the_command_that_the_error_names(path: Path) -> None:
    path.write_text("listen = 5\nreceipts = true\n")
    with pytest.raises(BadFormat) as refusal:
        config.load(path)
    assert refusal.value.hint == "p2pchat config set listen VALUE"
    config.change(path, "listen", "0.0.0.0:9000")
    assert config.load(path).listen == "0.0.0.0:9000"
    for ill in ("listen = 5\n", "[receipts]\nx = 1\n"):
        path.write_text(ill)
        with pytest.raises(BadFormat):
            config.change(path, "receipts", "true")
        assert path.read_text() == ill
