"""`usance statement --format html` as a browser shows and prints it."""

import re
from pathlib import Path
from typing import Literal

import browser
import pytest
from click.testing import CliRunner
from playwright.sync_api import Playwright

from usance.cli import main

DEMO = Path(__file__).parents[2] / "ledgers" / "demo" / "main.beancount"
SHEET = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.fixture(scope="module", params=[("--month", "2025-02"), ("--by", "month")], ids=" ".join)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five parts of the demo: a month, and three months in columns."""
    words = ["statement", str(DEMO), *request.param, "--format", "html"]
    made = tmp_path_factory.mktemp("printed") / "statement.html"
    made.write_text(CliRunner().invoke(main, words).stdout, "utf-8")
    return made


@browser.NEEDED
def test_it_prints_on_two_sheets_at_most_and_fits_a_phone(
    playwright: Playwright, written: Path, tmp_path: Path
) -> None:
    with browser.visited(playwright, "file://", tmp_path / "profile") as visit:
        visit.page.goto(written.as_uri())
        assert visit.page.locator("h2").first.inner_text() == "The whole"
        assert len(SHEET.findall(visit.page.pdf(prefer_css_page_size=True))) in (1, 2)
        schemes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
        for scheme in schemes:
            visit.page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                visit.page.set_viewport_size({"width": width, "height": 900})
                assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.wrong == []
