"""Closed months are plain Beancount text: rustledger, which shares no code, takes them too.

Its module is not ours to ship (GPL-3.0), and only this test uses it: npm installs it into build/.
"""

import contextlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pages_book
import pytest
from beancount import loader
from folders import Folder

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "rustledger"
MODULE = HOME / "node_modules" / "@rustledger" / "wasm"
RELEASE = "@rustledger/wasm@0.24.0"
SCRIPT = ROOT / "tests" / "support" / "rustledger.mjs"
NODE, NPM = shutil.which("node"), shutil.which("npm")


@pytest.fixture(scope="module")
def module() -> Path:
    """The folder of rustledger's module, installed if need be."""
    if NODE is None or NPM is None:
        pytest.skip("there is no Node here")
    if not MODULE.is_dir():
        HOME.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=HOME.parent) as made:
            words = [NPM, "install", "--no-fund", "--no-audit", "--ignore-scripts", RELEASE]
            try:
                subprocess.run(
                    [*words, "--prefix", made], check=True, capture_output=True, timeout=90
                )
            except (subprocess.SubprocessError, OSError):
                pytest.skip(f"{RELEASE} could not be installed")
            # Tests run side by side: the first one that has it puts it there.
            with contextlib.suppress(OSError):
                Path(made, "node_modules").rename(HOME / "node_modules")
    return MODULE


def read(module: Path, main: Path) -> Any:  # noqa: ANN401 -- JSON
    files = [path for path in sorted(main.parent.rglob("*.beancount")) if path != main]
    words = [str(NODE), str(SCRIPT), str(module), str(main), *map(str, files)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


def plain(folder: Path) -> Path:
    """Take our plugin lines out of a ledger: what is posted stands without them."""
    main = folder / "main.beancount"
    lines = main.read_text("utf-8").splitlines(keepends=True)
    main.write_text("".join(line for line in lines if not line.startswith("plugin")), "utf-8")
    return main


@pytest.mark.parametrize("book", ["lending", "contracts and yields", "January 2024"])
def test_posted_months_are_valid_there_and_as_many(book: str, module: Path, tmp_path: Path) -> None:
    path = tmp_path / "books"
    if book == "lending":
        folder = Folder.made(path)
    elif book == "contracts and yields":
        folder = pages_book.made(path)
    else:
        folder = Folder(Path(shutil.copytree(ROOT / "ledgers" / "january", path)))
    last = {"contracts and yields": "2025-05-31", "January 2024": "2024-01-31"}.get(book)
    folder.accrue(*(["--through", last] if last else []))
    main = plain(folder.path)
    entries, errors, _ = loader.load_file(str(main))
    assert errors == []
    assert read(module, main) == {"directives": len(entries), "errors": []}
    month = next(folder.path.glob("posted/20*.beancount"))
    month.write_text(month.read_text("utf-8").replace(" USDC\n", "1 USDC\n", 1), "utf-8")
    assert read(module, main)["errors"]  # else it would take anything
