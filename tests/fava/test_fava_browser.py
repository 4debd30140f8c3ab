"""Pages of Usance in Fava, as a browser shows them: light and dark, on a desk and on a phone."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import browser
import pages_book
import pytest
from fava.application import create_app
from folders import Folder
from playwright.sync_api import Page, Playwright, Route, expect
from test_fava_pages import PAGES

from usance.reports import palette

pytestmark = browser.NEEDED

DESK, PHONE = (1280, 860), (390, 844)
EXPLAIN = "UsanceVerify/?id=treasury/2025-05-31/Arb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("seen"))


@pytest.fixture(scope="module")
def opened(
    folder: Folder, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[browser.Visit]:
    app = create_app([str(folder.ledger)], load=True, poll_watcher=True, read_only=True)
    profile = tmp_path_factory.mktemp("profile")
    with browser.served(app) as base, browser.visited(playwright, base, profile) as made:
        yield made


@pytest.fixture
def visit(opened: browser.Visit) -> Iterator[browser.Visit]:
    """Return a browser; at the end nothing may have gone wrong in it."""
    opened.wrong.clear()
    opened.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    yield opened
    assert opened.wrong == []
    assert opened.page.locator("svelte-component.error").count() == 0


def full(visit: browser.Visit, path: str) -> Page:
    """Load a page as a whole, and wait until it is complete."""
    visit.page.goto(f"{visit.base}/pages/extension/{path}")
    visit.page.locator("article .us").wait_for()
    expect(visit.page.locator("article svelte-component:not(:has(*:not(script)))")).to_have_count(0)
    visit.page.wait_for_load_state("networkidle")
    return visit.page


DRAWN = ("UsanceCapital", "UsanceLending", "UsanceMargin", "UsanceOverview", "UsanceSplit")
"""Pages with pictures."""

NAMELESS = """
  const named = (node) => node.closest('.us-scroll[aria-label], svg[role=img][aria-label]');
  [...document.querySelectorAll('article table, article svg')]
    .filter((node) => !named(node)).map((node) => node.outerHTML.slice(0, 80))
"""
UNLABELLED = """
  [...document.querySelectorAll('article .us input, article [role=meter], article [role=img]')]
    .filter((node) => !(node.ariaLabel || node.labels?.length)).map((node) => node.outerHTML)
"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*(f"{name}/" for name in PAGES), EXPLAIN])
def test_a_page_is_whole_named_and_as_wide_as_its_window(
    path: str, scheme: Literal["light", "dark"], size: tuple[int, int], visit: browser.Visit
) -> None:
    page = visit.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    full(visit, path)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(UNLABELLED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    article = "document.querySelector('article')"
    assert page.evaluate(f"{article}.scrollWidth - {article}.clientWidth") <= 0
    light = "getComputedStyle(document.querySelector('.us')).color"
    assert page.evaluate(light) == (
        "rgb(64, 64, 64)" if scheme == "light" else "rgb(204, 204, 204)"
    )
    if path.startswith(("UsanceCapital", "UsanceLending", "UsanceMargin", "UsanceSplit")):
        expect(page.locator(".us-plot svg").first).to_be_visible()


LABELS = """() => {
  const boxes = (nodes) => [...nodes].map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    return [node.innerText, box.left, box.right, box.top, box.bottom];
  });
  return [...document.querySelectorAll('.us-picture')].map((picture) => [
    picture.querySelector('figcaption').innerText,
    picture.getBoundingClientRect().toJSON(),
    boxes(picture.querySelectorAll('.us-ticks span, .us-scale span')),
  ]);
}"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", DRAWN)
def test_labels_of_pictures_neither_touch_nor_are_cut(
    name: str, size: tuple[int, int], visit: browser.Visit
) -> None:
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    pictures = full(visit, f"{name}/").evaluate(LABELS)
    assert pictures
    for title, whole, labels in pictures:
        assert len(labels) >= 5, title
        for index, (text, left, right, top, bottom) in enumerate(labels):
            assert text, title
            assert whole["left"] <= left < right <= whole["right"] + 1, (title, text)
            for other, left_, right_, top_, bottom_ in labels[:index]:
                apart = right_ <= left or right <= left_ or bottom_ <= top or bottom <= top_
                assert apart, (title, text, other)


HUES = """() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const pixel = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const style = (node) => getComputedStyle(node);
  return [
    pixel(style(document.querySelector('.us-card')).backgroundColor),
    [...document.querySelectorAll('.us-area')].map((node) => pixel(style(node).fill)),
    [...document.querySelectorAll('.us-line, .us-limit')].map((node) => pixel(style(node).stroke)),
    [...document.querySelectorAll('.us-key')].map((node) => pixel(style(node).backgroundColor)),
  ];
}"""


def light(colour: Sequence[int]) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    parts = [part / 255 for part in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_has_a_colour_of_the_palette_and_is_seen(
    name: str, scheme: Literal["light", "dark"], visit: browser.Visit
) -> None:
    """Goal: a contrast of 3 to 1 with the ground, and a key that is the colour of what it names."""
    visit.page.emulate_media(color_scheme=scheme)
    ground, areas, lines, keys = full(visit, f"{name}/").evaluate(HUES)
    known = {bytes.fromhex(getattr(colour, scheme)[1:]) for colour in palette.COLOURS.values()}
    assert areas or lines
    for colour in [*areas, *lines, *keys]:
        assert bytes(colour) in known
        low, high = sorted((light(ground), light(colour)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_pages_open_from_the_sidebar(visit: browser.Visit) -> None:
    """Goal: what is shown after a click is what a full load shows; no script in it has run."""
    page = full(visit, "UsanceCapital/")
    for name, title in [*PAGES.items()][::-1]:
        page.locator("aside").get_by_role("link", name=title, exact=True).click()
        page.wait_for_url(f"**/extension/{name}/")
        page.locator("article").locator(".us-card, .us-days, .us-scroll, .us pre").first.wait_for()
        clicked = page.locator("article .us").inner_text()
        assert clicked == full(visit, f"{name}/").locator("article .us").inner_text()


def exact(page: Page, place: str) -> str:
    """Return all of a figure of the Margin page."""
    return str(page.locator(f'[data-figure="{place}"]').get_attribute("value"))


def net_equity(folder: Folder, *prices: str, name: str = "Main", at: str = "") -> str:
    """Return what `usance margin --price` says."""
    words = [word for price in prices for word in ("--price", price)] + (["--at", at] if at else [])
    answer = json.loads(folder.usance("margin", *words, "--format", "json").stdout)
    [figure] = [row["net_equity"] for row in answer["sub_accounts"] if row["name"] == name]
    return str(figure)


@pytest.mark.parametrize("way", ["full load", "sidebar"])
def test_sliders_show_what_the_command_says(way: str, visit: browser.Visit, folder: Folder) -> None:
    """Goal: a slider, the price beside it, and a contract over a coin, each to the last digit."""
    page = full(visit, "UsanceMargin/" if way == "full load" else "UsanceCapital/")
    if way == "sidebar":
        page.locator("aside").get_by_role("link", name="Margin", exact=True).click()
        page.locator("#us-whatif").wait_for()
    before = {name: exact(page, f"{name}/net_equity") for name in ("Main", "Desk", "Arb")}

    def said(*words: str) -> dict[str, dict[str, str]]:
        answer = json.loads(folder.usance("margin", *words, "--format", "json").stdout)
        return {row["name"]: row for row in answer["sub_accounts"]}

    def shown(wanted: dict[str, dict[str, str]]) -> None:
        for name, row in wanted.items():
            for key in ("net_equity", "available_equity", "imr", "mmr"):
                figure = page.locator(f'[data-figure="{name}/{key}"]')
                expect(figure).to_have_attribute("value", row[key])

    # 139 less 20 % is 111.20; the contract over it goes from 139.15 to 111.32.
    slider = page.locator('.us-slider[data-name="SOL"]')
    slider.locator("input[type=range]").fill("-20")
    expect(slider.locator("input[type=text]")).to_have_value("111.20")
    expect(slider.locator("output")).to_have_text("-20.0 %")
    shown(said("--price", "SOL=111.20", "--price", "SOL-PERP=111.32"))
    assert exact(page, "Main/net_equity") != before["Main"]
    meter = page.locator('[data-meter="Main/imr"]')
    assert float(str(meter.get_attribute("aria-valuenow"))) > 25

    page.locator("#us-over").uncheck()
    page.get_by_role("button", name="Reset").click()
    shown(said())
    perpetual = page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]')
    perpetual.fill("60.5")
    shown(said("--price", "SOL-PERP=60.5"))
    expect(page.locator('[data-figure="Main/state"]')).to_have_text("bankrupt")
    # Main: 109327.38 + 2000 (86 - 139.15) = 3027.38 of equity, 0.025 x 172000 = 4300 to maintain.
    perpetual.fill("86")
    shown(said("--price", "SOL-PERP=86"))
    expect(page.locator('[data-figure="Main/state"]')).to_have_text("in breach")
    page.get_by_role("button", name="Reset").click()
    shown(said())
    assert {name: exact(page, f"{name}/net_equity") for name in before} == before


def test_a_button_lowers_all_prices(visit: browser.Visit, folder: Folder) -> None:
    page = full(visit, "UsanceMargin/")
    page.get_by_role("button", name="20 %").click()
    expect(page.locator('.us-slider[data-name="SOL"] input[type=text]')).to_have_value("111.20")
    prices = [
        f"{slider.get_attribute('data-name')}={slider.locator('input[type=text]').input_value()}"
        for slider in page.locator(".us-slider").all()
    ]
    assert len(prices) > 1
    figure = page.locator('[data-figure="Main/net_equity"]')
    expect(figure).to_have_attribute("value", net_equity(folder, *prices))


def test_a_row_of_a_day_opens_to_its_transactions(visit: browser.Visit) -> None:
    page = full(visit, "UsanceVerify/")
    row = page.locator(".us-dayrow").filter(has_text="2025-05-20")
    row.locator("summary").click()
    found = row.get_by_role("region", name="Generated transactions of 2025-05-20")
    expect(found.get_by_role("link", name="lending/2025-05-20/Main")).to_be_visible()
    expect(found.locator("tbody tr").filter(has_text="Lending").first).to_contain_text("USDC")
    found.get_by_role("link", name="lending/2025-05-20/Main").click()
    expect(page.locator("article .us-steps")).to_be_visible()


def test_a_button_copies_the_head(visit: browser.Visit, folder: Folder) -> None:
    head = json.loads(folder.usance("verify", "--format", "json").stdout)["head"]
    page = full(visit, "UsanceVerify/")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == head


def test_what_if_is_of_the_day_that_is_shown(visit: browser.Visit, folder: Folder) -> None:
    page = full(visit, "UsanceMargin/?time=2025-04-20")
    page.locator("#us-over").uncheck()
    page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]').fill("120")
    shown = page.locator('[data-figure="Main/net_equity"]')
    figure = net_equity(folder, "SOL-PERP=120", at="2025-04-20")
    assert figure != net_equity(folder, "SOL-PERP=120")
    expect(shown).to_have_attribute("value", figure)


def test_a_late_answer_does_not_undo_a_newer_one(visit: browser.Visit, folder: Folder) -> None:
    page = full(visit, "UsanceMargin/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/whatif*", hold)
    price = page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]')
    shown = page.locator('[data-figure="Main/net_equity"]')
    with page.expect_request("**/whatif*"):
        price.fill("120")
    price.fill("110")
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL-PERP=110"))
    with page.expect_response("**/whatif*"):
        held[0].fulfill(response=held[0].fetch())
    page.wait_for_timeout(200)
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL-PERP=110"))
    page.unroute("**/whatif*")


@pytest.mark.parametrize(
    ("price", "level", "taken"),
    # Main maintains 0.025 of 2000 contracts: 4360 of 5427.38 at 87.2, and has nothing left at 60.
    [("87.2", "high", "80.333"), ("60", "full", "100.000")],
)
def test_what_if_fills_the_gauges(price: str, level: str, taken: str, visit: browser.Visit) -> None:
    page = full(visit, "UsanceMargin/")
    meter = page.locator('[data-meter="Main/mmr"]')
    expect(meter).to_have_attribute("data-level", "low")
    page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]').fill(price)
    expect(meter).to_have_attribute("data-level", level)
    expect(meter).to_have_attribute("aria-valuenow", taken)
    page.wait_for_function(
        """taken => {
          const meter = document.querySelector('[data-meter="Main/mmr"]');
          const width = meter.firstElementChild.offsetWidth / meter.offsetWidth;
          return Math.abs(width * 100 - taken) < 1;
        }""",
        arg=float(taken),
    )


def test_the_calendar_of_days_fits_a_phone(visit: browser.Visit) -> None:
    visit.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page = full(visit, "UsanceVerify/")
    days = page.get_by_role("region", name="Closed and open days")
    assert days.evaluate("node => node.scrollWidth - node.clientWidth") <= 0


def test_a_typed_price_moves_the_contracts_over_it(visit: browser.Visit, folder: Folder) -> None:
    """Goal: as its slider does. 139 to 69.5 is half; 139.15 then is 69.575."""
    page = full(visit, "UsanceMargin/")
    page.locator('.us-slider[data-name="SOL"] input[type=text]').fill("69.5")
    contract = page.locator('.us-slider[data-name="SOL-PERP"]')
    expect(contract.locator("input[type=text]")).to_have_value("69.575")
    expect(contract.locator("output")).to_have_text("-50.0 %")
    shown = page.locator('[data-figure="Main/net_equity"]')
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL=69.5", "SOL-PERP=69.575"))


def test_the_box_moves_the_contracts_when_it_is_ticked(
    visit: browser.Visit, folder: Folder
) -> None:
    """Goal: 139 less 20 % is 111.20, and the contract follows from 139.15 to 111.32."""
    page = full(visit, "UsanceMargin/")
    page.locator("#us-over").uncheck()
    page.locator('.us-slider[data-name="SOL"] input[type=range]').fill("-20")
    contract = page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]')
    expect(contract).to_have_value("139.15")
    shown = page.locator('[data-figure="Main/net_equity"]')
    page.locator("#us-over").check()
    expect(contract).to_have_value("111.32")
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL=111.20", "SOL-PERP=111.32"))


CONTRAST = """(selector) => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((part) => {
      const linear = part / 255;
      return linear <= 0.04045 ? linear / 12.92 : ((linear + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const under = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' && node.parentElement ? under(node.parentElement) : color;
  };
  return [...document.querySelectorAll(selector)].map((node) => {
    const pair = [light(getComputedStyle(node).color), light(under(node))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("price", ["139.15", "86", "60"])
def test_what_is_written_can_be_read(
    price: str, scheme: Literal["light", "dark"], visit: browser.Visit
) -> None:
    """Goal: a contrast of 4.5 to 1, also of states and of hints."""
    visit.page.emulate_media(color_scheme=scheme)
    page = full(visit, "UsanceMargin/")
    page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]').fill(price)
    words = {"139.15": "within limits", "86": "in breach", "60": "bankrupt"}[price]
    expect(page.locator('[data-figure="Main/state"]')).to_have_text(words)
    for selector in (".us-state", ".us-hint", ".us-quiet", ".us small", ".us dt", ".us data"):
        found = page.evaluate(CONTRAST, selector)
        assert found, selector
        assert min(found) >= 4.5, selector


def test_a_price_far_away_moves_its_contracts_as_far(visit: browser.Visit, folder: Folder) -> None:
    """Goal: 0.001 of 139 is a contract of 0.0010011, not of nothing."""
    page = full(visit, "UsanceMargin/")
    page.locator('.us-slider[data-name="SOL"] input[type=text]').fill("0.001")
    contract = page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]')
    expect(contract).to_have_value("0.0010011")
    shown = page.locator('[data-figure="Arb/available_equity"]')
    expect(page.locator("#us-told")).to_be_empty()
    figure = net_equity(folder, "SOL=0.001", "SOL-PERP=0.0010011", name="Desk")
    expect(page.locator('[data-figure="Desk/net_equity"]')).to_have_attribute("value", figure)
    page.locator('.us-slider[data-name="SOL"] input[type=text]').fill("9" * 30)
    expect(page.locator("#us-told")).to_contain_text("is not a price of SOL-PERP")
    expect(shown).to_be_visible()


def test_the_box_leaves_alone_what_stands_where_it_stood(visit: browser.Visit) -> None:
    page = full(visit, "UsanceMargin/")
    coin = page.locator('.us-slider[data-name="SOL"]')
    contract = page.locator('.us-slider[data-name="SOL-PERP"] input[type=text]')
    page.locator("#us-over").uncheck()
    coin.locator("input[type=range]").fill("-20")
    coin.locator("input[type=range]").fill("0")
    contract.fill("120")
    page.locator("#us-over").check()
    expect(contract).to_have_value("120")
    coin.locator("input[type=text]").fill("100")
    coin.locator("input[type=text]").fill("abc")
    page.locator("#us-over").uncheck()
    contract.fill("139")
    page.locator("#us-over").check()
    expect(contract).to_have_value("139")


def test_sliders_wait_for_their_script(visit: browser.Visit) -> None:
    """Goal: none can be moved to no effect."""
    visit.page.route("**/UsanceMargin.js", lambda route: route.abort())
    try:
        page = full(visit, "UsanceMargin/")
        expect(page.locator('.us-slider[data-name="SOL"] input[type=range]')).to_be_disabled()
        expect(page.get_by_role("button", name="Reset")).to_be_disabled()
    finally:
        visit.page.unroute("**/UsanceMargin.js")
        visit.wrong.clear()  # the script that is missing
    expect(full(visit, "UsanceMargin/").get_by_role("button", name="Reset")).to_be_enabled()


@pytest.mark.parametrize("text", ["0,1", "1,000", "abc", "NaN", "1e3", "+5", "0", ".5", "5.", ""])
def test_a_price_that_is_none_is_said_and_moves_nothing(
    text: str, visit: browser.Visit, folder: Folder
) -> None:
    page = full(visit, "UsanceMargin/")
    shown = page.locator('[data-figure="Desk/net_equity"]')
    page.locator("#us-over").uncheck()
    slider = page.locator('.us-slider[data-name="SOL"]')
    slider.locator("input[type=text]").fill("120")
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL=120", name="Desk"))
    slider.locator("input[type=text]").fill(text)
    expect(page.locator("#us-told")).to_contain_text(f"\u201c{text}\u201d is not a price of SOL.")
    expect(slider.locator("output")).to_have_text("\u2013")
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL=120", name="Desk"))
    slider.locator("input[type=text]").fill("110")
    expect(page.locator("#us-told")).to_be_empty()
    expect(shown).to_have_attribute("value", net_equity(folder, "SOL=110", name="Desk"))


CHEAP = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
2025-05-01 custom "collateral" "PEPE"
  weight: 0.8
2025-05-01 custom "collateral" "DOGE"
  weight: 0.8
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 price PEPE 0.00001 USDC
2025-05-01 price DOGE 0.2 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   100000000 PEPE
  Assets:Backpack:Main:Wallet   1000 DOGE
  Assets:Bank
2025-05-02 custom "accrue-through" 2025-05-02
"""


def test_sliders_move_the_price_of_a_cheap_coin(playwright: Playwright, tmp_path: Path) -> None:
    """Goal: a price far below one moves by as much as its slider says; 800 + 160 at first."""
    folder = Folder.made(tmp_path / "books", CHEAP)
    with (
        browser.shown(folder.ledger) as base,
        browser.visited(playwright, base.rpartition("/")[0], tmp_path / "profile") as visit,
    ):
        visit.page.goto(f"{base}/extension/UsanceMargin/")
        value = visit.page.locator('[data-figure="Main/collateral"]')
        expect(value).to_have_text("960.00")
        for coin, percent, price, worth in (
            ("PEPE", "-20", "0.0000080000", "800.00"),
            ("PEPE", "-90", "0.0000010000", "240.00"),
            ("PEPE", "0", "0.00001", "960.00"),
            ("DOGE", "0.5", "0.20100", "960.80"),
        ):
            slider = visit.page.locator(f'.us-slider[data-name="{coin}"]')
            slider.locator("input[type=range]").fill(percent)
            expect(slider.locator("input[type=text]")).to_have_value(price)
            expect(value).to_have_text(worth)


def test_a_journal_entry_leads_to_its_arithmetic(visit: browser.Visit) -> None:
    page = visit.page
    page.goto(f"{visit.base}/pages/journal/?time=2025-05-31")
    lending = page.locator("li.transaction", has_text="Lending").first
    lending.get_by_role("link", name="explain").click()
    page.get_by_role("list", name="Steps").wait_for()
    assert "lending/2025-05-31/" in page.locator("article h3").first.inner_text()
    assert "time=2025-05-31" in page.url
    identity = page.locator("article h3").first.inner_text().split()[0]
    assert page.get_by_label("Transaction id").input_value() == identity


def test_what_a_person_wrote_has_no_such_link(visit: browser.Visit) -> None:
    page = visit.page
    page.goto(f"{visit.base}/pages/journal/?time=2025-04-01")
    page.get_by_text("Deposit of another coin").wait_for()
    page.get_by_role("link", name="explain").first.wait_for()
    written = page.locator("li.transaction", has_text="Deposit of another coin")
    assert written.get_by_role("link", name="explain").count() == 0


def test_every_figure_leads_to_its_proof(visit: browser.Visit) -> None:
    page = full(visit, "UsanceCapital/")
    card = page.get_by_role("region", name="Capital of Main")
    for use, kind in (
        ("Lent", "lending"),
        ("Held as margin", "margin"),
        ("In the yield", "treasury"),
    ):
        card.get_by_role("link", name=use).click()
        page.get_by_role("list", name="Steps").wait_for()
        assert page.locator("article h3").first.inner_text().startswith(f"{kind}/2025-05-31/Main")
        page.go_back()
        card.wait_for()


def test_a_day_of_the_calendar_is_a_filter(visit: browser.Visit) -> None:
    page = full(visit, "UsanceVerify/")
    page.get_by_role("link", name="2025-04-16, closed").click()
    page.get_by_role("link", name="borrowing/2025-04-16/Desk").click()
    page.get_by_role("list", name="Steps").wait_for()
    assert "posted and closed" in page.locator("article").inner_text()


def test_an_id_is_asked_for(visit: browser.Visit) -> None:
    page = full(visit, "UsanceVerify/")
    page.get_by_label("Transaction id").fill("margin/2025-05-31/Main")
    page.get_by_role("button", name="Explain").click()
    page.get_by_role("list", name="Steps").wait_for()
    assert re.search(r"margin/2025-05-31/Main", page.locator("article h3").first.inner_text())


def test_the_dialog_of_a_generated_entry_says_why_it_has_no_source(
    opened: browser.Visit,
) -> None:
    page = full(opened, "UsanceVerify/?time=2025-05-31")
    page.locator('article a[href^="#context-"]').first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("The entry is generated and cannot be edited.").wait_for()
    opened.wrong.clear()  # the browser tells of the refusal


def test_incognito_draws_nothing(folder: Folder, playwright: Playwright, tmp_path: Path) -> None:
    app = create_app([str(folder.ledger)], load=True, poll_watcher=True, incognito=True)
    with browser.served(app) as base, browser.visited(playwright, base, tmp_path / "p") as visit:
        for name in PAGES:
            page = full(visit, f"{name}/")
            assert page.locator(".us-plot").count() == 0
            drawn = "[...document.querySelectorAll('.us-track i')].map((node) => node.offsetWidth)"
            assert set(page.evaluate(drawn)) <= {0}
        assert visit.wrong == []
