"""Plugin lines: which stages the lines of a ledger enable, and where they stand."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from usance.model.problems import Source
from usance.model.terms import Stage

LINES = {
    "usance.plugins": frozenset(Stage),
    "usance.plugins.auto_lending": frozenset((Stage.AUTO_LENDING,)),
    "usance.plugins.margin_pool": frozenset((Stage.MARGIN_POOL,)),
    "usance.plugins.sub_accounts": frozenset((Stage.SUB_ACCOUNTS,)),
    "usance.plugins.yield_split": frozenset((Stage.YIELD_SPLIT,)),
}
"""What each plugin line enables."""


OPENERS = ("beancount.plugins.auto_accounts", "beancount.plugins.auto")
"""Plugins that open each account that nobody opened."""


def enabled(options: Mapping[str, Any]) -> frozenset[Stage]:
    """Return the stages that a ledger's plugin lines enable."""
    return frozenset(
        stage for name, _ in options["plugin"] for stage in LINES.get(name, frozenset())
    )


def lines(options: Mapping[str, Any]) -> list[str]:
    """Return our plugin lines of a ledger, in order."""
    return [name for name, _ in options["plugin"] if name in LINES]


def opens_accounts(options: Mapping[str, Any]) -> bool:
    """Tell whether a plugin opens the accounts that nobody opened."""
    return any(name in OPENERS for name, _ in options["plugin"])


def opens_accounts_later(options: Mapping[str, Any]) -> bool:
    """Tell whether a plugin behind our last line opens the accounts that nobody opened."""
    names = [name for name, _ in options["plugin"]]
    last = max((place for place, name in enumerate(names) if name in LINES), default=0)
    return any(name in OPENERS for name in names[last:])


def plugin_line(options: Mapping[str, Any]) -> Source:
    """Return the place of the plugin line that makes virtual days: the last of ours."""
    ours = lines(options)
    return place_of(options, ours[-1]) if ours else Source(options["filename"], 1)


def others(path: str) -> list[str]:
    """Return the plugins of a top file that are not ours, read from its text."""
    try:
        text = Path(path).read_text("utf-8", "replace")
    except OSError:
        return []
    named = re.findall(r'^plugin\s+"([^"\n]*)"', text, re.MULTILINE)
    return [name for name in dict.fromkeys(named) if name not in LINES]


def place_of(options: Mapping[str, Any], line: str) -> Source:
    """Return the last place of a plugin line in a ledger, or its first line if it has none."""
    file = options["filename"]
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return Source(file, 1)
    wanted = re.compile(rf'^plugin\s+"{re.escape(line)}"', re.MULTILINE)
    numbers = (text.count("\n", 0, match.start()) + 1 for match in wanted.finditer(text))
    return Source(file, max(numbers, default=1))
