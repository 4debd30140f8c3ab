"""A served Fava, and a Chromium that looks at it and takes down what goes wrong."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cheroot.wsgi import Server
from flask import Flask
from playwright.sync_api import Page, Playwright

from usance.fava import server as serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
"""Of a test in a browser."""

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page that is looked at; `wrong` holds console errors and requests to other hosts."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str, shown: str) -> str:
        """Open a page of the ledger, wait until a text is shown, and return all its text."""
        self.page.goto(f"{self.base}/beancount/{path}")
        self.page.locator("article").get_by_text(shown).first.wait_for()
        self.page.wait_for_load_state("networkidle")
        return self.page.locator("article").inner_text()


@contextmanager
def served(app: "WSGIApplication") -> Iterator[str]:
    """Serve an application on a free port; yield its address."""
    server = Server(("127.0.0.1", 0), app)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join(5)


@contextmanager
def loaded(ledger: Path, *, read_write: bool = False) -> Iterator[Flask]:
    """Load what `usance fava` serves; in the end, watch the files no longer."""
    app = serving.application(ledger, read_write=read_write)
    try:
        yield app
    finally:
        app.config["LEDGERS"].ledgers[0].watcher.__exit__(None, None, None)


@contextmanager
def shown(ledger: Path) -> Iterator[str]:
    """Serve a ledger as `usance fava` does, without the guard; yield its address."""
    with loaded(ledger) as app, served(app) as base:
        yield f"{base}/{app.config['LEDGERS'].first_slug()}"


@contextmanager
def visited(playwright: Playwright, base: str, profile: Path) -> Iterator[Visit]:
    """Open a browser with a fresh profile."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=FLAGS, headless=True
    )
    visit = Visit(context.pages[0], base)
    host = "/".join(base.split("/")[:3])
    visit.page.set_default_timeout(20_000)
    visit.page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    visit.page.on(
        "console",
        lambda told: visit.wrong.append(told.text) if told.type == "error" else None,
    )
    visit.page.on(
        "request",
        lambda sent: None if sent.url.startswith(host) else visit.wrong.append(sent.url),
    )
    yield visit
    context.close()
