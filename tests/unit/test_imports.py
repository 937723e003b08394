"""Dependencies point one way (docs/architecture.md): this reads every import, also those inside functions."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "p2pchat"
SOURCES: Final = sorted(PACKAGE.rglob("*.py"))

GROUND: Final = {"ids", "errors", "limits", "__version__"}
# What may stand at the root and be used by everybody who does I/O: paths, settings, sockets, the environment.
SHELL: Final = {"home", "config", "atomic", "local_socket", "lifeline", "hardening", "env"}

# room -> the rooms it may import, beside itself
ARROWS: Final[dict[str, set[str]]] = {
    "__main__": {"cli"},
    "build": set(),
    "show": set(),
    "picture": {"errors"},
    "ids": {"errors"},
    "errors": set(),
    "limits": set(),
    "token_bucket": set(),
    "atomic": {"errors"},
    "home": {"atomic", "errors"},
    "config": {"atomic", "errors", "limits"},
    "local_socket": {"errors"},
    "lifeline": {"errors", "hardening"},
    "hardening": set(),
    "loop_delay": set(),
    "env": {"errors"},
    "env_system": GROUND | {"env", "keys", "worker"},
    "worker": {"env"},
    "boundary_port": {"wire"},
    "wire": GROUND,
    "keys": GROUND | {"wire"},
    "channel": GROUND | {"wire", "keys"},
    "delivery": GROUND | {"wire", "keys"},
    "contacts": GROUND | {"wire", "keys"},
    "store": GROUND | {"wire", "keys", "env", "atomic"},
    "link": GROUND | {"wire", "keys", "env", "token_bucket"},
    "rpc": GROUND | {"local_socket", "token_bucket"},
    "launch": GROUND | SHELL - {"env"},
    "vault": GROUND
    | SHELL
    | {
        *{"boundary_port", "build", "env_system", "loop_delay", "token_bucket", "rpc"},
        *{"store", "delivery", "channel", "contacts", "keys", "wire"},
    },
    "firewall": GROUND
    | SHELL
    | {"boundary_port", "build", "env_system", "loop_delay", "token_bucket", "rpc", "link", "keys", "wire"},
    "tracker": GROUND | {"token_bucket", "keys", "wire"},
    "qr": {"errors", "limits", "picture", "hardening"},
    "commands": GROUND | SHELL - {"lifeline", "env"} | {"rpc", "launch", "show", "picture"},
    "manual": GROUND | {"cli", "commands"},
    "cli": GROUND | SHELL - {"lifeline", "env"} | {"rpc", "commands"},
}
# (file, room): what one file may do beyond its room, with the reason.
EXTRA: Final = {
    ("launch/unlock.py", "keys"),  # the short-lived child that runs Argon2id; the launcher never imports it
    ("launch/dongle.py", "keys"),  # the short-lived child that reaches a dongle; neither does it import this
}
# Inside a function only: verbs that work without a daemon import when they run.
LAZY: Final = {"commands": {"keys", "wire", "qr", "store", "env", "env_system"}, "env_system": {"store"}}

# One table, which a reader wants to see whole.
TABLES: Final = {PACKAGE / "wire" / "structs.py", PACKAGE / "rpc" / "methods.py"}

# Dongles are outside by what they are: their drivers run in a child of their own (launch/dongle.py), and nowhere else.
REACHES_OUT: Final = {PACKAGE / "keys" / "dongle"}
DRIVERS: Final = {f"p2pchat.keys.dongle.{driver}" for driver in ("key_file", "pkcs11", "fido2")}

CORES: Final = ("wire", "keys", "channel", "delivery", "contacts")
WORLD: Final = {"trio", "socket", "time", "random", "secrets", "uuid", "ssl", "threading", "asyncio", "subprocess"}
STANDARD_LIBRARY_ONLY: Final = ("home", "config", "atomic", "local_socket", "lifeline", "hardening", "launch")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert isinstance(node, ast.ImportFrom)
    assert node.level == 0, "imports are absolute"
    assert node.module is not None
    if node.module == "p2pchat":
        return [f"p2pchat.{alias.name}" for alias in node.names]
    return [node.module]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that ``path`` imports, and whether that happens only when a function runs, or for a type checker."""
    inside = {
        id(child)
        for block in ast.walk(tree(path))
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_types(block)
        for child in ast.walk(block)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in modules(node):
                yield module, id(node) in inside


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def outside(path: Path) -> set[str]:
    """The top-level names of everything that is not ours."""
    return {module.split(".")[0] for module, _ in imports(path)} - {"p2pchat"}


def forbidden(path: Path) -> list[str]:
    here = room(path)
    found = []
    for module, lazy in imports(path):
        if not module.startswith("p2pchat."):
            continue
        there = module.split(".")[1]
        allowed = ARROWS[here] | {here} | (LAZY.get(here, set()) if lazy else set())
        extra = (str(path.relative_to(PACKAGE)), there) in EXTRA
        if there not in allowed and not extra:
            found.append(f"{path.relative_to(ROOT)} imports {module}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        assert not list(imports(path))
        return
    assert room(path) in ARROWS, "a new room: say in ARROWS what it may import"
    assert forbidden(path) == []


def test_the_arrows_name_no_room_that_vault_and_firewall_share_both_ways() -> None:
    assert "firewall" not in ARROWS["vault"]
    assert "vault" not in ARROWS["firewall"]
    assert not {"channel", "delivery", "contacts"} & (ARROWS["channel"] | ARROWS["delivery"] | ARROWS["contacts"])


@pytest.mark.parametrize("package", CORES)
def test_cores_do_no_io(package: str) -> None:
    for path in sorted((PACKAGE / package).rglob("*.py")):
        if path.parent in REACHES_OUT:
            continue
        assert not outside(path) & WORLD, path
        calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        assert not calls & {"open", "os.urandom", "os.open", "os.getrandom"}, path


def test_drivers_of_dongles_run_in_their_child_alone() -> None:
    users = {
        path
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module in DRIVERS or {f"{node.module}.{alias.name}" for alias in node.names} & DRIVERS)
    }
    assert users == {PACKAGE / "launch" / "dongle.py"}


def is_foreign_md5(node: ast.AST) -> bool:
    """``hashlib.md5``, ``hashes.MD5``, ``new("md5")``, ``from hashlib import md5``; not ``checksum.md5``."""
    if isinstance(node, ast.Attribute):
        return node.attr.lower() == "md5" and ast.unparse(node.value) != "checksum"
    if isinstance(node, ast.ImportFrom):
        return node.module != "p2pchat.wire.checksum" and any(a.name.lower() == "md5" for a in node.names)
    return isinstance(node, ast.Constant) and str(node.value).lower() == "md5"


def test_md5_lives_in_one_file() -> None:
    holders = {path for path in SOURCES for node in ast.walk(tree(path)) if is_foreign_md5(node)}
    assert holders == {PACKAGE / "wire" / "checksum.py"}


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_the_launcher_and_what_it_uses_is_standard_library(name: str) -> None:
    files = [PACKAGE / f"{name}.py"] if (PACKAGE / f"{name}.py").exists() else list((PACKAGE / name).rglob("*.py"))
    assert files
    for path in files:
        if path != PACKAGE / "launch" / "unlock.py":
            assert outside(path) <= sys.stdlib_module_names, path


@pytest.mark.parametrize("name", ["commands", "rpc", "cli"])
def test_the_command_line_imports_neither_trio_nor_cryptography(name: str) -> None:
    files = [PACKAGE / f"{name}.py"] if name == "cli" else list((PACKAGE / name).rglob("*.py"))
    assert files
    daemons = {PACKAGE / "rpc" / file for file in ("server.py", "conversation.py")}  # the vault's and the gate's side
    for path in set(files) - daemons:
        at_import = {module.split(".")[0] for module, lazy in imports(path) if not lazy}
        assert not at_import & {"trio", "cryptography", "nacl", "apsw", "msgpack"}, path


def test_help_loads_neither_trio_nor_cryptography() -> None:
    words = "import sys; sys.argv = ['p2pchat', '--help']; from p2pchat.cli import main"
    check = f"{words}\ntry: main()\nexcept SystemExit: pass\nprint('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("LOADED")[2].split())
    assert "p2pchat.cli" in loaded
    assert not loaded & {"trio", "cryptography", "nacl", "apsw", "msgpack", "asyncio"}


@pytest.mark.parametrize("name", ["vault/app.py", "firewall/gate.py"])
def test_wiring_stays_wiring(name: str) -> None:
    assert len((PACKAGE / name).read_text().splitlines()) <= 200


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_one_idea_a_file(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= (450 if path in TABLES else 350)
