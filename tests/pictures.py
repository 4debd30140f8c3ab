"""The pictures of the README, taken of the demo book behind `usance fava`.

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

from usance import serving
from usance.cli import main

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
"""Width and height in pixels."""

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PICTURES = {
    "income": ("income_statement/?interval=day", "Interest"),
}
"""Page of each picture, and a text that it shows when it is complete."""


def take(folder: Path) -> Iterator[tuple[str, str]]:
    """Take every picture, `folder/NAME-SCHEME.png`; yield each name and its text."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        book = shutil.copytree(ROOT / "ledgers" / "demo", Path(made) / "demo") / "main.beancount"
        CliRunner().invoke(main, ["accrue", str(book)], catch_exceptions=False)
        app = serving.application(book, read_write=False)
        with (
            browser.served(app) as base,
            browser.visited(playwright, base, Path(made) / "profile") as visit,
        ):
            page = visit.page
            page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
            for name, (path, shown) in PICTURES.items():
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    page.goto(f"{base}/demo-january-2024/{path}")
                    page.locator("article").get_by_text(shown).first.wait_for()
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")
                yield name, page.locator("article").inner_text()
            assert visit.wrong == []


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name, text in take(FOLDER):
        (FOLDER / f"{name}.txt").write_text(f"{text}\n")
