"""The pictures of the README, taken of the demo as `usance fava` shows it.

    python tests/pictures.py

What is to be read in a picture stands beside it, where the tests look.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import browser
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from usance.cli import main

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
"""Width and height in pixels."""

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PICTURES = {
    "margin": ("demo/main.beancount", "extension/UsanceMargin/?time=2025-02-23", "Positions"),
    "overview": ("demo/main.beancount", "extension/UsanceOverview/", "Sub-accounts"),
}
"""Ledger and page of each picture, and a text that it shows when it is complete."""


def take(folder: Path) -> Iterator[tuple[str, str]]:
    """Take every picture, `folder/NAME-SCHEME.png`; yield each name and its text."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        books = shutil.copytree(ROOT / "ledgers", Path(made) / "ledgers")
        closing = ["accrue", str(books / "demo" / "main.beancount"), "--through", "2025-01-31"]
        CliRunner().invoke(main, closing, catch_exceptions=False)
        for name, (ledger, path, shown) in PICTURES.items():
            with (
                browser.shown(books / ledger) as base,
                browser.visited(playwright, base, Path(made) / name) as visit,
            ):
                page = visit.page
                page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    page.goto(f"{base}/{path}")
                    page.locator("article").get_by_text(shown).first.wait_for()
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")
                assert visit.wrong == []
                yield name, page.locator("article").inner_text()


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name, text in take(FOLDER):
        (FOLDER / f"{name}.txt").write_text(f"{text}\n")
