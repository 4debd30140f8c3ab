"""Saving: the guard of a ledger's files, which Fava writes whole or not at all.

Fava opens a file for writing, which empties it, and then writes. It does so with
`Path(...).open("w")` in two of its modules; `protect` puts `LedgerFile` there in place of `Path`.
Fava saves new documents in another way, under free names.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http import HTTPStatus
from pathlib import Path, PosixPath
from typing import Any, ClassVar

import fava
from fava import json_api
from fava.core import file
from fava.json_api import FavaJSONAPIError

from usance.language.provenance import DAILY, MONTH_FILE, POSTED
from usance.ledger.disk import Disk, locked

FAVA = "1.30."
"""The versions of Fava whose writes Usance knows.

`tests/fava/test_fava_server.py` counts the ways in which the installed Fava writes, so that a
person reads the code of a new release before it may write.
"""


class NotSavedError(FavaJSONAPIError):
    """An error that says why a file is unchanged; Fava's pages show it."""

    status = HTTPStatus.FORBIDDEN


class LedgerFile(PosixPath):
    """A path whose file, if opened for writing, gets the whole new text or keeps the old one."""

    folder: ClassVar[Path]
    """The folder of the ledger."""

    def open(self, mode: str = "r", *rest: Any, **options: Any) -> Any:  # noqa: ANN401 -- as in pathlib
        """Open the file; "w" yields a draft, which replaces the file when the draft is complete."""
        if mode == "w":
            return self._draft(options.get("newline"))
        return super().open(mode, *rest, **options)

    @contextmanager
    def _draft(self, newline: str | None) -> Iterator[io.StringIO]:
        target = self.resolve(strict=True)
        if not target.is_relative_to(self.folder.resolve()):
            raise NotSavedError(
                f"{self} is outside the ledger's folder. Edit it in another editor."
            )
        if not os.access(target, os.W_OK):
            raise NotSavedError(
                f"{self} is write-protected. Change its permissions and save again."
            )
        if is_sealed(self, self.folder):
            raise NotSavedError(
                f"{self} holds closed days, which are sealed. Edit their inputs, then run "
                "usance accrue --correct to post the difference."
            )
        text = io.StringIO(newline=newline)
        yield text
        posted = self.folder / POSTED
        try:
            with locked(posted, _busy) if posted.is_dir() else nullcontext():
                Disk().replace(target, text.getvalue().encode())
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise NotSavedError(
                f"{self} could not be saved: {why}. The file holds the old text or the new one, "
                "whole. Remove the cause, then save again."
            ) from error


def is_sealed(path: Path, folder: Path) -> bool:
    """Tell whether a file holds closed days of the ledger in a folder, or their inputs."""
    posted = (folder / POSTED).resolve()
    return any(
        MONTH_FILE.fullmatch(file.with_suffix(".beancount").name)
        and file.parent.resolve() in (posted, posted / DAILY)
        for file in (path, path.resolve())
    )


def _busy() -> None:
    raise NotSavedError("usance accrue is closing days. Save again in a moment.")


def protect(folder: Path) -> None:
    """Make Fava's modules write files of the ledger in a folder whole or not at all.

    Raise ValueError for a version of Fava whose writes Usance does not know.
    """
    if not fava.__version__.startswith(FAVA):
        raise ValueError(
            f"Usance does not know how Fava {fava.__version__} saves files; install Fava {FAVA}x"
        )
    path = type("LedgerFile", (LedgerFile,), {"folder": folder})
    for module in (file, json_api):
        vars(module)["Path"] = path
