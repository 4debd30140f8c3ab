"""Server: Fava with Usance's pages on a port, behind a guard against pages of other sites."""

import json
import socket
from collections.abc import Iterable
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from beancount.core.data import Custom, new_metadata
from beancount.parser.grammar import ValueType
from cheroot.wsgi import Server
from fava.application import create_app
from fava.context import g
from fava.core import FavaLedger
from fava.json_api import FavaJSONAPIError
from flask import Flask, Response, render_template, request
from jinja2 import ChoiceLoader, DictLoader

from usance.fava import limits
from usance.fava.queries import Queries
from usance.fava.saving import NotSavedError, is_sealed, protect
from usance.ledger.load import plain_months
from usance.ledger.replay import no_collection_of_cycles

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGES = "usance.fava"
"""The module of the pages; a ledger names it in `custom "fava-extension"`."""

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""The policy for pages: Fava's editor compiles WebAssembly, its tables and charts set styles."""

POLICY_OF_DOCUMENTS = POLICY.replace("script-src 'self' 'wasm-unsafe-eval'", "script-src 'none'")
"""The policy for documents: other people wrote them, so no code in them may run."""

HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),  # Fava's /jump needs the referrer
    ("Cross-Origin-Resource-Policy", "same-origin"),
]

SAFE = ("GET", "HEAD")


def spelt(host: str) -> str:
    """Return a host as a browser sends it; browsers also accept short forms, such as 127.1."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return ip_address(host).compressed if _is_address(host) else host.lower()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    host = spelt(host)
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def is_wildcard(host: str) -> bool:
    """Tell whether an address stands for every address of this machine."""
    host = spelt(host)
    return _is_address(host) and ip_address(host).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


DATA = (["api"], ["document"], ["download-journal"], ["download-query"], ["statement"])
"""The paths below a ledger's address at which Fava answers with data or a file."""


class Guard:
    """A filter of requests: it passes on those of the served pages, of the address bar, of links.

    A page of another site may send requests to this machine, and the site's own name may lead here;
    the browser says so in Host, Origin and Sec-Fetch-Site. On a wildcard address this machine may
    have addresses that the guard does not know. It then accepts any numeric Host, because no other
    site's name can be one. Another site may link to a page, but may not embed, frame or read
    anything.
    """

    def __init__(self, app: "WSGIApplication", host: str, port: int, *, read_write: bool) -> None:
        self.app = app
        self.names = {"127.0.0.1", "localhost", spelt(host)}
        self.wildcard = is_wildcard(host)
        self.port = port
        self.read_write = read_write

    def __call__(self, env: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer a request, by the WSGI protocol."""
        document = env["PATH_INFO"].split("/")[2:3] in (["document"], ["statement"])
        policy = POLICY_OF_DOCUMENTS if document else POLICY

        def safely(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:  # noqa: ANN401 -- WSGI's
            return start(
                status, [*headers, *HEADERS, ("Content-Security-Policy", policy)], *failure
            )

        if reason := self._refusal(env):
            safely("403 Forbidden", [("Content-Type", "application/json")])
            return [json.dumps({"error": reason}).encode()]
        if env["REQUEST_METHOD"] != "HEAD":
            return self.app(env, safely)
        # Fava refuses HEAD if it is read-only.
        body = self.app({**env, "REQUEST_METHOD": "GET"}, safely)
        if hasattr(body, "close"):
            body.close()
        return []

    def _refusal(self, env: "WSGIEnvironment") -> str | None:
        """Return the reason to refuse a request, or None to pass it on."""
        host = env.get("HTTP_HOST", "")
        if not self._is_ours(host):
            return f"This server is not {host}. Open the address that usance fava printed."
        safe = env["REQUEST_METHOD"] in SAFE
        if not _is_sent_by(f"http://{host}", env, typed=safe) and not _follows_a_link(env):
            return (
                "Only pages of this server may ask for this. "
                "Open the address that usance fava printed."
            )
        if not safe and not self.read_write:
            return "The ledger is read-only here. Start usance fava with --read-write to change it."
        return None

    def _is_ours(self, host: str) -> bool:
        """Tell whether a Host is an address that this server has."""
        port = f":{self.port}"
        if not host.endswith(port) and self.port != 80:
            return False
        name = host.lower().removesuffix(port).removeprefix("[").removesuffix("]")
        return name in self.names or (self.wildcard and _is_address(name))


def _is_sent_by(own: str, env: "WSGIEnvironment", *, typed: bool) -> bool:
    """Tell whether a page of the origin `own` sent a request, or, if `typed`, its reader did.

    If a browser does not name the site in Sec-Fetch-Site, Origin and Referer decide. A client that
    sends none of the three is not a browser that shows another site's page.
    """
    referer = urlsplit(env.get("HTTP_REFERER", ""))
    origins = {env.get("HTTP_ORIGIN", own)}
    match env.get("HTTP_SEC_FETCH_SITE"):
        case "same-origin":
            pass
        case "none" if typed:
            pass
        case None:
            origins.add(f"{referer.scheme}://{referer.netloc}" if any(referer) else own)
        case _:
            return False
    return origins == {own}


def _follows_a_link(env: "WSGIEnvironment") -> bool:
    """Tell whether a request opens a page in a tab; a link of any site may do that.

    The addresses of Fava's pages end with a slash, except those of its help.
    """
    path = env["PATH_INFO"]
    below = path.split("/")[2:3]
    return (
        env["REQUEST_METHOD"] == "GET"
        and env.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and env.get("HTTP_SEC_FETCH_DEST") == "document"
        and (path.endswith("/") or below == ["help"])
        and below not in DATA
    )


def listening(host: str, port: int) -> Server:
    """Return a server that holds a port (for 0, a free one) and does not answer requests yet."""
    server = limits.server("127.0.0.1" if host == "localhost" else host, port)
    server.prepare()
    return server


def address(host: str, port: int) -> str:
    """Return the address of a server; if it listens on all addresses, the one for this machine."""
    host = spelt(host)
    if is_wildcard(host):
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Addresses:
    """Fava's ledgers by address, of which Usance has one; the ledger keeps each former address.

    Fava makes the address from the title. If the title changes, or cannot be read, while a page is
    open, Fava would no longer answer that page, and a person could not even save a correction.
    """

    def __init__(self, ledgers: Any) -> None:  # noqa: ANN401 -- a class of Fava's own
        self._ledgers = ledgers
        self._known = {ledgers.first_slug()}

    def __getitem__(self, address: str) -> FavaLedger:
        """Return the ledger of an address; KeyError for an unknown address."""
        now: str = self._ledgers.first_slug()
        self._known.add(now)
        found: FavaLedger = self._ledgers[now if address in self._known else address]
        return found

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Return any other attribute of Fava's ledgers."""
        return getattr(self._ledgers, name)


def application(path: Path, *, read_write: bool) -> Flask:
    """Return Fava's application on a loaded ledger, with Usance's pages."""
    if read_write:
        protect(path.parent)
    plain_months(str(path))
    limits.limit_expressions()
    with no_collection_of_cycles():
        app = create_app([str(path)], load=True, read_only=not read_write)
    [ledger] = app.config["LEDGERS"].ledgers
    ledger.__class__ = Uncollected  # Fava makes its ledgers itself
    ledger.query_shell = Queries(ledger)
    _add_pages(ledger)
    _wait_for_file(ledger)
    app.config["LEDGERS"] = Addresses(app.config["LEDGERS"])
    _escape_journal(app)
    app.before_request(_keep_ledger_files)
    _land_on_overview(app)
    app.register_error_handler(FavaJSONAPIError, _page_of_error)
    return app


LANDING = "extension/UsanceOverview/"
"""The first page, unless the ledger names one with the option `default-page`."""


def _land_on_overview(app: Flask) -> None:
    """Lead from a ledger's bare address to the overview, if the ledger names no first page."""
    index = app.view_functions["index"]

    def first_page() -> Response:
        response: Response = index()  # type: ignore[assignment]
        ledger: FavaLedger = app.config["LEDGERS"][g.beancount_file_slug]
        named = any(
            entry.type == "fava-option" and str(entry.values[0].value) == "default-page"
            for entry in ledger.all_entries_by_type.Custom
        )
        if not named:
            page = ledger.fava_options.default_page
            response.location = f"{str(response.location).removesuffix(page)}{LANDING}"
        return response

    app.view_functions["index"] = first_page


def _page_of_error(error: FavaJSONAPIError) -> tuple[str, int]:
    """Return the page of an error that refused a page or a download; data has its own answer."""
    return render_template("_layout.html", page_title="Error", content=error.message), error.status


def _escape_journal(app: Flask) -> None:
    """Escape the texts of a ledger in Fava's journal, which puts them into the page unchanged."""
    assert app.jinja_loader is not None
    name = "_journal_table.html"
    source, _, _ = app.jinja_loader.get_source(app.jinja_env, name)
    safe = DictLoader({name: source.replace("{% autoescape false %}", "{% autoescape true %}")})
    app.jinja_loader = ChoiceLoader([safe, app.jinja_loader])


def _add_pages(ledger: FavaLedger) -> None:
    """Load the pages, if the ledger does not name them."""
    found = ledger.all_entries_by_type
    if any(
        entry.type == "fava-extension" and entry.values[0].value == PAGES for entry in found.Custom
    ):
        return
    meta = new_metadata(ledger.beancount_file_path, 0)
    line = Custom(meta, date.min, "fava-extension", [ValueType(PAGES, str)])
    ledger.all_entries_by_type = found._replace(Custom=[*found.Custom, line])  # type: ignore[list-item]
    ledger.extensions.load_file()
    ledger.extensions.after_load_file()


class Uncollected(FavaLedger):
    """A ledger that loads without the collector of cycles.

    The collector would walk all directives again and again, a quarter of the time of a reload.
    """

    __slots__ = ()

    def load_file(self) -> None:
        """Load the ledger."""
        with no_collection_of_cycles():
            super().load_file()


def _wait_for_file(ledger: FavaLedger) -> None:
    """Keep the loaded ledger while its file is missing, for example between steps of a checkout.

    Fava would load nothing, stop watching files, and lose the title, which makes the address.
    """
    path, check = Path(ledger.beancount_file_path), ledger.watcher.check
    vars(ledger.watcher)["check"] = lambda: path.exists() and check()


def _keep_ledger_files() -> None:
    """Refuse to move or delete a file of the ledger as if it were a document."""
    match request.endpoint:
        case "json_api.delete_document":
            name = request.args.get("filename")
        case "json_api.put_move":
            name = (request.get_json(silent=True) or {}).get("filename")
        case _:
            return
    path = Path(str(name)).resolve()
    files = [Path(file).resolve() for file in g.ledger.options["include"]]
    if path in files or is_sealed(path, Path(g.ledger.beancount_file_path).parent):
        raise NotSavedError(
            f"{name} is a file of the ledger, so it was left in place. Choose a document."
        )
