"""The packages of docs/architecture.md: which may import which, and what stays out of the rules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "usance"
TESTS = ROOT / "tests"

BOOKS = {"model", "language", "engine", "ledger", "close"}
"""What everything that shows books to a person builds on."""

MAY_IMPORT = {
    "model": set[str](),
    "rules": {"model"},
    "language": {"model", "rules"},
    "engine": {"model", "rules"},
    "venues": {"model"},
    "ledger": {"model", "language", "engine"},
    "close": {"model", "rules", "language", "engine", "ledger"},
    "reports": BOOKS | {"rules", "treasury"},
    "explain": {"model", "rules", "language", "engine", "ledger", "close", "reports"},
    "feeding": {"model", "rules", "language", "engine", "ledger", "reports", "venues"},
    "importers": {"model", "venues"},
    "books": BOOKS | {"reports", "explain"},
    "fava": BOOKS | {"books", "reports", "explain", "feeding"},
    "commands": BOOKS | {"books", "reports", "explain", "feeding"},
    "treasury": {"model"},
    "virtual_days": BOOKS,
    "cli": {"commands"},
}
"""Each package, and each module at the top, with those of ours that it may import."""

EXCEPTIONS = {("commands.fava", "fava")}
"""A module and a package that it imports beyond the table: only when the command runs."""

OUTSIDE = {
    "beancount": {"language", "ledger", "close", "reports", "explain", "fava", "commands"}
    | {"virtual_days", "feeding", "importers", "books"},
    "click": {"cli", "commands"},
    "ccxt": {"feeding"},
    "beangulp": {"importers"},
    "fava": {"fava"},
}
"""Which packages may import a library."""

WORLD = {"os", "pathlib", "random", "time", "socket", "subprocess", "fcntl", "tempfile", "sys"}
"""What no rule may import: files, the clock, chance."""

PURE = ("model", "rules", "engine", "venues", "treasury")

MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != SOURCE / "__init__.py"
}
"""Every module by its name below usance; a package has the name of its __init__."""


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def ours(path: Path) -> set[str]:
    """Return the modules of ours that a module imports, by their names in `MODULES`."""
    names = {name.removeprefix("usance.") for name in imports(path) if name.startswith("usance.")}
    return names & MODULES.keys()


def home(module: str) -> str:
    """Return the package of a module, or the module itself at the top."""
    return module.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_package_imports_only_what_the_table_lets_it(module: str) -> None:
    used = {home(name) for name in ours(MODULES[module])} - {home(module)}
    allowed = MAY_IMPORT[home(module)] | {of for name, of in EXCEPTIONS if name == module}
    assert used <= allowed


def test_the_table_names_what_is_there_and_used() -> None:
    assert {home(module) for module in MODULES} == MAY_IMPORT.keys()
    used = {(home(module), home(name)) for module, path in MODULES.items() for name in ours(path)}
    unused = {(home_, of) for home_, all_ in MAY_IMPORT.items() for of in all_} - used
    assert not unused


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {module: ours(path) for module, path in MODULES.items()}
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    assert not left


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_known_to_its_packages_alone(module: str) -> None:
    tops = {name.split(".")[0] for name in imports(MODULES[module])}
    for library, packages in OUTSIDE.items():
        assert library not in tops or home(module) in packages
    if home(module) in PURE:
        assert not tops & WORLD


def test_every_package_says_what_it_is() -> None:
    for path in SOURCE.glob("*/__init__.py"):
        says = " ".join((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split())
        assert "never import" in says or "never know" in says, path


def test_no_test_file_is_imported_from_another_folder() -> None:
    """What tests of several folders share is in tests/support."""
    homes = {path.stem: path.parent for path in TESTS.rglob("test_*.py")}
    for path in TESTS.rglob("*.py"):
        for name in imports(path) & homes.keys():
            assert homes[name] == path.parent, (path, name)


def test_nothing_in_the_source_imports_the_plugins() -> None:
    for path in MODULES.values():
        assert not any(name.startswith("usance.plugins") for name in imports(path)), path


def test_no_float_round_or_eval_touches_an_amount() -> None:
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"float", "round", "eval", "exec"}, path
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), path
