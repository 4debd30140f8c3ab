"""Read only: no code of this process may change a file outside of a temporary folder.

Opening for writing, moving and deleting are changes. The guard and Fava already refuse requests
that would change a ledger. This is a second defence, for requests that nobody thought of: it checks
the path of a write, not the code that writes.
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
"""Python's audit events for changes of files, with the number of paths that they name first."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
"""The flags of an opening that is not only for reading."""


@contextmanager
def nothing_written() -> Iterator[None]:
    """Refuse every change of a file until the end of the context, except in a new temporary folder.

    Until then `tempfile` makes its files in that folder. Python keeps an audit hook for the life of
    the process; this one does nothing after the end.
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
                # A number is the descriptor of an open file.
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
    """Tell whether a path, after its links, lies in the folder or is the null device."""
    real = os.path.realpath(path)
    return real == os.devnull or os.path.commonpath([real, folder]) == folder
