"""Read only: no code of this process opens, moves or deletes a file outside of a temporary folder.

The guard and Fava refuse what would change a ledger. This stands behind them, for what nobody
thought of: it asks not who wants to write, but where.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHANGES = {
    "os.chflags": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.removexattr": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.setxattr": 1,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.utime": 1,
}
"""Python's audit events of what changes files, with the number of paths that they name first."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
"""Flags of an opening that is not for reading alone."""


@contextmanager
def nothing_written() -> Iterator[None]:
    """Refuse every change of a file, apart from those in a new temporary folder, until the end.

    The folder is where `tempfile` makes its files meanwhile. Python keeps an audit hook for the
    life of the process; this one is quiet after the end.
    """
    place, active = tempfile.gettempdir(), True
    with tempfile.TemporaryDirectory(prefix="usance-") as own:
        folder = os.path.realpath(own)

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            if not active:
                return
            if event == "open":
                count = 1 if arguments[2] & WRITING else 0
            else:
                count = CHANGES.get(event, 0)
            for path in arguments[:count]:
                # A number is a file that is open already.
                if not isinstance(path, int) and not _is_allowed(os.fsdecode(path), folder):
                    raise PermissionError(
                        f"{path} may not be written: the ledger is open for reading only."
                    )

        sys.addaudithook(look)
        tempfile.tempdir = folder
        try:
            yield
        finally:
            active = False
            tempfile.tempdir = place


def _is_allowed(path: str, folder: str) -> bool:
    """Tell whether a path, with its links followed, lies in the folder, or is the null device."""
    real = os.path.realpath(path)
    return real == os.devnull or os.path.commonpath([real, folder]) == folder
