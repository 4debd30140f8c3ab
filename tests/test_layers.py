"""The layers of docs/architecture.md: who may import whom, and what stays out of the rules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "usance"

LAYERS = (
    ("amounts", "disk", "hours", "lots", "month_text", "problems", "seals", "tables", "timeline"),
    ("coin_day", "interest", "options", "quotes", "settlement", "terms", "yield_day"),
    ("directives", "inputs", "margin", "periods", "rate_files", "rates", "treasury"),
    (
        "curve",
        "liquidation_price",
        "margin_directives",
        "rate_series",
        "reserves",
        "yield_directives",
    ),
    ("events", "yield_rules"),
    ("chart", "drafts", "isolation", "schedule", "wallet"),
    ("lending", "portfolios", "scribe", "standings"),
    ("margin_reading", "price_reading", "waterfall", "yield_reading", "yielding"),
    ("pooling", "reading"),
    ("closed_yields", "engine", "journal"),
    ("closed", "explanation"),
    ("correction",),
    ("explain_lending", "explain_margin", "explain_yield", "ledger"),
    ("citations", "explain_liquidation", "margin_reports", "messages", "posted", "reports"),
    (
        "explain",
        "margin_commands",
        "posting",
        "lending_reports",
        "margin_table",
        "queries",
        "read_only",
        "saving",
        "verification",
        "yield_reports",
    ),
    ("close_commands", "explain_command", "report_commands", "serving", "yield_commands"),
    ("fava_command",),
    ("cli",),
)
"""Modules from the bottom up: one imports from lower layers only, never from its own."""

BEANCOUNT = {
    "citations",
    "closed",
    "closed_yields",
    "correction",
    "directives",
    "explain",
    "inputs",
    "journal",
    "ledger",
    "margin_directives",
    "margin_table",
    "messages",
    "posted",
    "posting",
    "price_reading",
    "reading",
    "reports",
    "schedule",
    "scribe",
    "serving",
    "verification",
    "yield_directives",
    "yield_reading",
    "yield_rules",
}
"""Modules that know Beancount's types. All others are rules, or faces without arithmetic."""

CLICK = {
    "cli",
    "close_commands",
    "explain_command",
    "fava_command",
    "margin_commands",
    "messages",
    "options",
    "report_commands",
    "yield_commands",
}

FILES = {"disk", "rate_files", "read_only", "saving"}
"""Modules that know files and no Beancount."""

IMPURE = {"os", "pathlib", "random", "time", "socket", "subprocess", "fcntl", "tempfile"}
"""What no rule may import."""

RULES = {name for layer in LAYERS for name in layer} - BEANCOUNT - CLICK - FILES - {"tables"}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


MODULES = sorted(path for path in SOURCE.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_from_lower_layers(path: Path) -> None:
    depth = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("usance.")}
    upward = {name for name in ours & depth.keys() if depth[name] >= depth[path.stem]}
    assert not upward


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_rules_know_neither_beancount_nor_the_world(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    assert ("beancount" in tops) == (path.stem in BEANCOUNT)
    assert ("click" in tops) == (path.stem in CLICK)
    if path.stem in RULES:
        assert not tops & IMPURE


FAVA = sorted((SOURCE / "fava").glob("*.py"))
"""The pages in Fava stand above all layers: nothing else imports them."""

SERVING = {"fava_command", "queries", "saving", "serving"}
"""The launcher, which alone of the layers knows Fava."""


def test_only_the_pages_and_the_launcher_know_fava() -> None:
    for path in MODULES:
        tops = {name.split(".")[0] for name in imports(path)}
        assert "fava" not in tops or path.stem in SERVING
        ours = {f"{name}." for name in imports(path)}
        assert not any(name.startswith("usance.fava.") for name in ours), path


def test_every_module_has_a_layer() -> None:
    assert {path.stem for path in MODULES} == {name for layer in LAYERS for name in layer}


def test_nothing_in_the_source_imports_the_plugins() -> None:
    for path in MODULES:
        assert not any(name.startswith("usance.plugins") for name in imports(path)), path


def test_no_float_round_or_eval_touches_an_amount() -> None:
    for path in [*MODULES, *FAVA]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"float", "round", "eval", "exec"}, path
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), path
