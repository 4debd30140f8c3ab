"""Host: an extension without a page, and so without a line in the sidebar.

It keeps the books of a load for all pages. It also answers for Fava if a request would edit a
generated entry, which Fava would look for in a file.
"""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from beancount.core.data import Directive, Directives
from fava.core import EntryNotFoundForHashError, FavaLedger
from fava.core.file import GeneratedEntryError
from fava.ext import FavaExtensionBase, FavaExtensionError
from flask import current_app, has_app_context, request

from usance.fava.books import PageBooks
from usance.fava.view import masked
from usance.language.provenance import GENERATED, is_generated
from usance.language.rate_files import is_there
from usance.ledger.load import Ledger, loaded, places, plugin_result

EDITS = frozenset(
    f"json_api.{name}"
    for name in (
        "delete_source_slice",
        "get_source_slice",
        "put_add_document",
        "put_attach_document",
        "put_source_slice",
    )
)
"""Endpoints that read or edit the file of an entry."""


class Errors(list[Any]):
    """Errors of a load, whoever reports them; in incognito mode their messages have no digits.

    Fava shows a message as it is, and asks for errors without telling an extension.
    """

    def __iter__(self) -> Iterator[Any]:
        """Yield the errors as a reader may see them."""
        if not (has_app_context() and current_app.config["INCOGNITO"]):
            yield from super().__iter__()
            return
        for error in super().__iter__():
            yield error._replace(message=masked(error.message))


class UsanceBooks(FavaExtensionBase):
    """The books of a load, for all pages."""

    def __init__(self, ledger: FavaLedger, config: str | None = None) -> None:  # noqa: ARG002
        # Without the config: there is nothing to configure, and Fava stops at one it cannot read.
        super().__init__(ledger)
        self._lock = threading.Lock()
        self._loading = threading.RLock()
        update = ledger.watcher.update

        def one_at_a_time(files: Iterable[Path], folders: Iterable[Path]) -> None:
            with self._loading:
                update(files, folders)

        # Fava loads in each thread that sees a change, and two at once would break its watcher.
        vars(ledger.watcher)["update"] = one_at_a_time
        self._books: PageBooks | None = None
        self._named: set[Path] = set()
        self._awaited: set[Path] = set()

    def after_load_file(self) -> None:
        """Forget the books of the previous load; keep folders out of the editor's list of files.

        Fava watches the folder of closed days already, and could not open it in the editor.
        """
        self._books = None
        self.ledger.load_errors = Errors(self.ledger.load_errors)
        options = self.ledger.options
        reading = plugin_result(options).reading
        folder = str(Path(self.ledger.beancount_file_path).parent)
        if reading is not None:
            self._named.update(places(reading, folder))
        # Fava stops watching a missing file, which may be missing only for a moment.
        self._awaited = {place for place in self._named if not is_there(place)}
        self._named = {*map(Path, options["include"]), *self._awaited}
        options["include"] = [name for name in options["include"] if not Path(name).is_dir()]

    def before_request(self) -> None:
        """Load again if a missing file has appeared: Fava watches only existing files.

        Refuse to read or edit the source of a generated entry: Fava would look for a file.
        """
        ledger_file = Path(self.ledger.beancount_file_path)
        with self._loading:
            if any(map(is_there, self._awaited)) and is_there(ledger_file):
                self.ledger.load_file()
        if request.endpoint == "json_api.get_source":
            generated = request.args.get("filename") == GENERATED
        else:
            generated = request.endpoint in EDITS and self._is_generated(_entry_hash())
        if generated:
            raise GeneratedEntryError

    def _is_generated(self, entry_hash: str) -> bool:
        try:
            return is_generated(cast("Directive", self.ledger.get_entry(entry_hash)))
        except EntryNotFoundForHashError:
            return False

    @property
    def books(self) -> PageBooks:
        """The books of the last load, made when a page first asks."""
        with self._lock:
            books = self._books
            while books is None or not self._is_current(books.ledger):
                entries, options = self.ledger.all_entries, self.ledger.options
                books = self._books = PageBooks(
                    loaded(
                        self.ledger.beancount_file_path,
                        cast("Directives", entries),
                        self.ledger.load_errors,
                        cast("dict[str, Any]", options),
                    )
                )
            return books

    def _is_current(self, loaded: Ledger) -> bool:
        """Tell whether a ledger is that of the last load.

        Another load may begin while the books are made, and a load that raises in Fava ends
        before `after_load_file`. With that notice alone, the figures of an earlier load stayed.
        """
        entries, options = cast("Directives", self.ledger.all_entries), self.ledger.options
        return loaded.entries is entries and loaded.options is cast("dict[str, Any]", options)

    def tell(self, message: str) -> None:
        """Put an error on Fava's errors page, once for each load."""
        errors = self.ledger.extensions.errors
        if current_app.config["INCOGNITO"]:
            message = masked(message)
        if all(error.message != message for error in errors):
            at: dict[str, Any] = {"filename": self.ledger.beancount_file_path, "lineno": 1}
            errors.append(FavaExtensionError(at, message, None))


def _entry_hash() -> str:
    """Return the hash of the entry that a request names, in one of three ways of Fava's API."""
    body = request.get_json(silent=True)
    named = body.get("entry_hash") if isinstance(body, dict) else None
    return str(request.args.get("entry_hash") or request.form.get("hash") or named)
