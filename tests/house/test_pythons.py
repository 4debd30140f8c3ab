"""Every Python that people have: what it must read alike."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for part in ("src", "plugins", "bench", "tests") for path in (ROOT / part).rglob("*.py")
)
POSSESSIVE = re.compile(r"(?<!\\)[+*?}]\+|\(\?>")
"""A possessive quantifier, or the beginning of an atomic group."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_pattern_has_a_possessive_quantifier(path: Path) -> None:
    """With one, Python 3.11.0 to 3.11.4 match what they should not, and miss what they should."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    imports = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    found = [text for text in texts if POSSESSIVE.search(str(text))]
    assert "re" not in imports or not found


def test_the_same_releases_are_classified_tested_and_looked_for() -> None:
    names = ("pyproject.toml", "docs/developing.md", "Makefile")
    text = {name: (ROOT / name).read_text("utf-8") for name in names}
    classified = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text["pyproject.toml"])
    [tested] = re.findall(
        r"The tests pass\s+on Python (.*?)\.\s", text["docs/developing.md"], re.DOTALL
    )
    [looked_for] = re.findall(r"^PYTHONS \?= (.*)", text["Makefile"], re.MULTILINE)
    assert set(classified) == set(re.findall(r"\b(3\.\d+)\.\d", tested))
    assert classified == re.findall(r"\bpython(3\.\d+)", looked_for)
    assert f'requires-python = ">={classified[0]}"' in text["pyproject.toml"]
