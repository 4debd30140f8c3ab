"""Profiles of Hypothesis, and the book that a test's docstring holds."""

import os

os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"  # read when beancount.loader is imported
os.environ["WATCHFILES_FORCE_POLLING"] = "1"  # a machine watches few folders at once

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, Phase, settings
from invariants import Books, check_books
from playwright.sync_api import Playwright, sync_playwright
from written_books import Book, read

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
settings.register_profile(
    "dev", max_examples=40, derandomize=True, deadline=None, suppress_health_check=SLOW
)
# A failing example is shown as it was drawn: a law that fails must not take minutes to say so.
settings.register_profile(
    "ci",
    settings.get_profile("dev"),
    phases=[phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)],
)
settings.register_profile(
    "soak", max_examples=2000, deadline=None, suppress_health_check=SLOW, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Hypothesis also draws constants of the modules that happen to be loaded. Then what a law draws,
# and how often it meets a rare case, would depend on the tests before it and on new constants.
with contextlib.suppress(ImportError):
    from hypothesis.internal.conjecture import providers

    if hasattr(providers, "_get_local_constants"):
        vars(providers)["_get_local_constants"] = lambda: vars(providers)["_local_constants"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell runs what is in the background so, and a server that is tested would not hear Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Start what drives a browser."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    """Load the ledger in the docstring of the test; it has no errors, and the laws hold."""
    loaded = read(dedent(request.function.__doc__), tmp_path)
    assert loaded.messages() == []
    check_books(Books(loaded.entries, loaded.errors, loaded.options))
    return loaded
