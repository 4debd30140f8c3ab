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


def enabled(options: Mapping[str, Any]) -> frozenset[Stage]:
    """Return the stages that a ledger's plugin lines enable."""
    return frozenset(
        stage for name, _ in options["plugin"] for stage in LINES.get(name, frozenset())
    )


def plugin_line(options: Mapping[str, Any]) -> Source:
    """Return the plugin line at which virtual days are made: the last of ours."""
    ours = [name for name, _ in options["plugin"] if name in LINES]
    file = options["filename"]
    return Source(file, line_of(file, ours[-1]) if ours else 1)


def line_of(file: str, line: str) -> int:
    """Return where a plugin line stands last in a file, 1 where it cannot be found."""
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return 1
    wanted = re.compile(rf'^plugin\s+"{re.escape(line)}"', re.MULTILINE)
    return max(
        (text.count("\n", 0, match.start()) + 1 for match in wanted.finditer(text)), default=1
    )
