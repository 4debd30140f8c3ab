"""`usance fava` serves a ledger to its owner alone, and never leaves half of a file."""

import errno
import hashlib
import html
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import browser
import fava
import pytest
from beanquery.shell import BQLShell
from click.testing import CliRunner
from fava import core as fava_core
from fava import json_api
from fava.core import file as fava_file
from flask.testing import FlaskClient
from folders import Folder
from playwright.sync_api import Dialog, Playwright

from usance.cli import main
from usance.fava import read_only as read_only_process
from usance.fava import saving
from usance.fava import server as serving
from usance.ledger.disk import locked

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
option "documents" "papers"
plugin "usance.plugins"
include "prices.beancount"
include "posted/*.beancount"
1970-01-01 custom "fava-option" "import-dirs" "."

2024-12-30 commodity USDC
  quantum: 0.000001
2024-12-30 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2024-12-30 custom "lending-pool" "USDC"
  rates: "observed"
2024-12-30 custom "lending-rate" "USDC" "rates/usdc.csv"
2024-12-01 open Assets:Bank
2024-12-01 open Assets:Backpack:Main:Wallet

2024-12-30 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-01-02 custom "accrue-through" 2025-01-02
"""


def made(path: Path) -> Folder:
    """Return books with a second file, a folder of documents, and a closed month."""
    folder = Folder.made(path, LEDGER)
    (folder.path / "prices.beancount").write_bytes(b"2025-01-01 price SOL 150 USDC\r\n")
    (folder.path / "papers").mkdir()
    folder.accrue("--through", "2024-12-31")
    return folder


# A running launcher


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


@dataclass
class Running:
    """A launcher at work, and questions to it."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str | None) -> Answer:
        """Send a request; a header that is None is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"Host": f"127.0.0.1:{self.port}"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        data = None if body is None else json.dumps(body)
        if data is not None:
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
        connection.putrequest(method, path, skip_host=True)
        for name, text in sent.items():
            if text is not None:
                connection.putheader(name, text)
        connection.endheaders(None if data is None else data.encode())
        got = connection.getresponse()
        answer = Answer(got.status, dict(got.getheaders()), got.read())
        connection.close()
        return answer


LAUNCHER = [sys.executable, "-c", "from usance.cli import main; main()", "fava"]


@contextmanager
def running(
    folder: Folder, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Running]:
    """Run the launcher on a free port; it ends with Ctrl-C, quietly.

    environment  variables instead of an option that no browser shall open
    """
    unopened = ["--no-browser"] if environment is None else []
    process = subprocess.Popen(
        [*LAUNCHER, str(folder.ledger), "--port", "0", *unopened, *options],
        env=None if environment is None else os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        port = re.search(r" is at http://127\.0\.0\.1:(\d+)/ ", told)
        assert port is not None, (told, process.stderr and process.stderr.read())
        yield Running(process, int(port[1]))
    finally:
        process.send_signal(signal.SIGINT)
        rest, wrong = process.communicate(timeout=60)
    # From Python 3.13 on, cheroot's writer of a connection that was cut off says so when it is
    # collected.
    wrong = "" if "in: <function IOBase.__del__" in wrong else wrong
    assert (process.returncode, rest, wrong) == (0, "", "")


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Folder, Running]]:
    folder = made(tmp_path_factory.mktemp("read_only") / "books")
    with running(folder) as server:
        yield folder, server


@pytest.fixture(scope="module")
def read_write(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Folder, Running]]:
    folder = made(tmp_path_factory.mktemp("read_write") / "books")
    with running(folder, "--read-write") as server:
        yield folder, server


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no xdg-open")
@pytest.mark.parametrize("display", [":0", ""])
def test_a_browser_opens_where_there_is_a_screen(tmp_path: Path, display: str) -> None:
    opener, opened = tmp_path / "xdg-open", tmp_path / "opened"
    opener.write_text(f'#!/bin/sh\necho "$1" >{opened}.new\nmv {opened}.new {opened}\n')
    opener.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "DISPLAY": display, "WAYLAND_DISPLAY": ""}
    with running(made(tmp_path / "books"), environment=environment) as server:
        assert server.ask("GET", "/").status == 302
        for _ in range(200 if display else 20):
            if opened.exists():
                break
            time.sleep(0.05)
    assert opened.exists() == bool(display)


def change(folder: Folder, name: str = "main.beancount", more: str = "; more\n") -> dict[str, str]:
    """Return what Fava's editor sends when it saves a file."""
    path = folder.path / name
    text = path.read_text("utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"file_path": str(path), "source": text + more, "sha256sum": digest}


HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.evil.example:{port}",
    "localhost:1",
    "localhost",
    "192.0.2.1:{port}",
    "[::1]:{port}",
    "localhost:{port}:{port}",
    "",
    None,
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_sees_nothing(host: str | None, read_only: tuple[Folder, Running]) -> None:
    _, server = read_only
    host = host and host.format(port=server.port)
    got = server.ask("GET", "/beancount/api/ledger_data", Host=host)
    assert got.status in {400, 403}, got.body  # 400: HTTP/1.1 asks for a Host
    assert b"Wallet" not in got.body


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_its_own_hosts_see_the_ledger(host: str, read_only: tuple[Folder, Running]) -> None:
    _, server = read_only
    got = server.ask("GET", "/beancount/api/ledger_data", Host=host.format(port=server.port))
    assert got.status == 200
    assert b"Assets:Backpack:Main:Wallet" in got.body


EVERYWHERE = "0.0.0.0"  # noqa: S104 -- it is what is tested


@pytest.mark.parametrize(
    ("listens", "port", "host", "ours"),
    [
        (EVERYWHERE, 5000, "192.0.2.7:5000", True),
        (EVERYWHERE, 5000, "[2001:db8::1]:5000", True),
        (EVERYWHERE, 5000, "evil.example:5000", False),
        (EVERYWHERE, 5000, "192.0.2.7:80", False),
        ("192.0.2.7", 5000, "192.0.2.7:5000", True),
        ("192.0.2.7", 5000, "192.0.2.8:5000", False),
        ("books.lan", 5000, "books.lan:5000", True),
        ("Books.lan", 5000, "books.LAN:5000", True),
        ("::1", 5000, "[::1]:5000", True),
        ("0:0:0:0:0:0:0:1", 5000, "[::1]:5000", True),
        ("0", 5000, "0.0.0.0:5000", True),
        ("192.0.519", 5000, "192.0.2.7:5000", True),
        ("2001:DB8:0::1", 5000, "[2001:db8::1]:5000", True),
        ("127.0.0.1", 80, "localhost", True),
        ("127.0.0.1", 80, "localhost:80", True),
        ("127.0.0.1", 80, "evil.example", False),
    ],
)
def test_an_address_listened_on_is_a_host_of_its_own(
    listens: str, port: int, host: str, ours: bool
) -> None:
    told: list[str] = []
    guard = serving.Guard(lambda _env, _start: [b"page"], listens, port, read_write=False)
    env = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": host}
    body = guard(env, lambda status, *_: told.append(status))  # type: ignore[arg-type]
    assert ([*body] == [b"page"]) is ours
    assert told == ([] if ours else ["403 Forbidden"])


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Origin": "http://127.0.0.1:{port}", "Sec_Fetch_Site": "cross-site"},
    {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_another_site_changes_nothing(
    method: str, headers: dict[str, str], read_write: tuple[Folder, Running]
) -> None:
    folder, server = read_write
    before = folder.files()
    sent = {name: text.format(port=server.port) for name, text in headers.items()}
    got = server.ask(method, "/beancount/api/source", change(folder), **sent)
    assert got.status == 403
    assert got.error
    assert folder.files() == before


LEDGER_DATA = "/beancount/api/ledger_data"
PAGE = "/beancount/income_statement/"
LINK = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
"""What a browser sends when a reader follows a link of another site."""


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "unheard-of"},
        LINK,
        LINK | {"Sec_Fetch_Dest": "iframe"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
        {"Referer": "http://evil.example/127.0.0.1:{port}/"},
        {"Referer": "http://127.0.0.1:1/"},
        {"Referer": "no address"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_site_reads_nothing(
    method: str, headers: dict[str, str], read_only: tuple[Folder, Running]
) -> None:
    _, server = read_only
    sent = {name: text.format(port=server.port) for name, text in headers.items()}
    got = server.ask(method, LEDGER_DATA, **sent)
    assert got.status == 403
    assert b"Wallet" not in got.body


OWN = [
    {},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": "same-origin", "Referer": "http://127.0.0.1:{port}/x"},
    {"Origin": "http://127.0.0.1:{port}"},
    {"Referer": "http://127.0.0.1:{port}/beancount/"},
]


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_its_own_pages_and_its_reader_are_answered(
    headers: dict[str, str], read_only: tuple[Folder, Running]
) -> None:
    _, server = read_only
    sent = {name: text.format(port=server.port) for name, text in headers.items()}
    assert server.ask("GET", LEDGER_DATA, **sent).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 302),
        ("/beancount/", 302),
        (PAGE, 200),
        ("/beancount/account/Assets:Bank/", 200),
        ("/beancount/extension/UsanceMargin/", 200),
        ("/beancount/help/filters", 200),
        ("/beancount/query/?query_string=SELECT+1", 200),
        ("/beancount/api/query?query_string=SELECT+1", 403),
        ("/beancount/api/", 403),
        ("/beancount/document/?filename=x", 403),
        ("/beancount/statement/?entry_hash=x&key=y", 403),
        ("/beancount/download-journal/", 403),
        ("/beancount/download-query/query_result.csv?query_string=SELECT+1", 403),
        ("/beancount/extension/UsanceMargin/whatif", 403),
        ("/static/app.js", 403),
        ("/jump?time=2025", 403),
    ],
)
def test_another_site_may_link_to_pages_alone(
    path: str, status: int, read_only: tuple[Folder, Running]
) -> None:
    _, server = read_only
    assert server.ask("GET", path, **LINK).status == status


# Queries

COMMANDS = sorted(
    {name.removeprefix("do_") for name in dir(BQLShell) if name.startswith("do_")}
    | {"output", "run", "set", "history", "shell", "!"}
)
"""The commands of the shell that is installed, and some that it should have."""


def commands(path: Path) -> list[str]:
    """Return each command of the shell in each of its spellings, with the path of a file."""
    return [
        f"{dot}{name} {rest}"
        for name in COMMANDS
        for dot in ("", ".")
        for rest in ("", path, f"SELECT 1; .output {path}")
    ]


QUERY = "/beancount/api/query?query_string="


def test_no_command_of_the_shell_runs_in_a_query(read_only: tuple[Folder, Running]) -> None:
    folder, server = read_only
    before = folder.files()
    told = {
        text: server.ask("GET", QUERY + quote(text))
        for text in commands(folder.path / "prices.beancount")
    }
    assert {answer.status for answer in told.values()} == {400}
    assert all(answer.error for answer in told.values())
    assert folder.files() == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (" ", "Write a statement, such as: SELECT sum(position) GROUP BY account"),
        (".output x", 'No statement of the query language goes on with ".output x".'),
        ("SELECT account FRM", "No statement of the query language goes on with"),
        ("SELECT nothing", 'The query cannot run: column "nothing" not found'),
        ("SELECT account WHERE account ~ '('", "The query stopped: missing )"),
        ("CREATE TABLE t USING 'csv:main.beancount'", "Only SELECT, BALANCES, JOURNAL and PRINT"),
        ("CREATE TABLE t (a int)", "Only SELECT, BALANCES, JOURNAL and PRINT"),
        ("INSERT INTO postings (account) VALUES ('x')", "Only SELECT, BALANCES, JOURNAL and"),
        ("run nothing", 'The ledger has no query "nothing".'),
    ],
)
def test_what_is_no_query_is_told_in_the_page_and_the_download(
    query: str, said: str, read_only: tuple[Folder, Running]
) -> None:
    _, server = read_only
    got = server.ask("GET", QUERY + quote(query))
    assert (got.status, got.error[: len(said)]) == (400, said)
    for kind in ("csv", "xlsx", "exe"):
        path = f"/beancount/download-query/query_result.{kind}?query_string={quote(query)}"
        got = server.ask("GET", path)
        assert got.status == 400
        assert b"Traceback" not in got.body


def test_queries_are_answered(tmp_path: Path) -> None:
    folder = made(tmp_path / "books")
    with folder.ledger.open("a") as file:
        file.write('2024-12-01 query "the bank" "SELECT sum(position) WHERE account ~ \'Bank\'"\n')
    with browser.loaded(folder.ledger) as app:
        client = app.test_client()

        def asked(text: str) -> Any:  # noqa: ANN401
            got = client.get("/beancount/api/query", query_string={"query_string": text})
            assert got.status_code == 200, got.data
            return json.loads(got.data)["data"]

        rows = [[{"USDC": -1000}]]
        assert asked("SELECT sum(position) WHERE account ~ 'Bank'")["rows"] == rows
        for stored in ("run the bank", "run 'the bank';", 'RUN "the bank"'):
            assert asked(stored)["rows"] == rows
        assert ["Assets:Bank", {"USDC": -1000}] in asked("BALANCES")["rows"]
        assert len(asked("JOURNAL 'Bank'")["rows"]) == 1
        assert '2024-12-30 * "Deposit"' in asked("PRINT FROM narration = 'Deposit'")["contents"]
        got = client.get(
            "/beancount/download-query/query_result.csv",
            query_string={"query_string": "run 'the bank'"},
        )
        assert b"-1000.0" in got.data


WRITES = """import os, tempfile
from fava.ext import FavaExtensionBase, extension_endpoint

class Writes(FavaExtensionBase):
    @extension_endpoint("write", ["GET"])
    def write(self):
        with tempfile.TemporaryFile("w") as file:
            file.write("This one may be written")
        with open(os.devnull, "w"):
            pass
        folder = os.path.dirname(self.ledger.beancount_file_path)
        at, own = os.path.join(folder, "prices.beancount"), tempfile.mkdtemp()
        done = []
        for name, act in {
            "open": lambda: open(at, "w"),
            "append": lambda: open(at, "a"),
            "update": lambda: open(at.encode(), "r+b"),
            "low": lambda: os.open(at, os.O_RDWR),
            "linked": lambda: open(linked(at, own), "w"),
            "remove": lambda: os.remove(at),
            "rename": lambda: os.rename(at, os.path.join(own, "x")),
            "replace": lambda: os.replace(temporary(own), at),
            "link": lambda: os.link(at, os.path.join(own, "y")),
            "truncate": lambda: os.truncate(at, 0),
            "chmod": lambda: os.chmod(at, 0),
            "utime": lambda: os.utime(at),
            "mkdir": lambda: os.mkdir(at + ".d"),
            "rmdir": lambda: os.rmdir(os.path.join(folder, "papers")),
            "symlink": lambda: os.symlink(at, at + ".link"),
        }.items():
            try:
                act()
                done.append(name)
            except PermissionError as error:
                assert "open for reading only" in str(error)
            except FileNotFoundError:
                pass  # an attempt before this one moved it, which is told
        return {"done": done}

def temporary(own):
    path = os.path.join(own, "z")
    open(path, "w").close()
    return path

def linked(at, own):
    link = os.path.join(own, "link")
    os.symlink(at, link)
    return link
"""


def test_no_code_of_a_read_only_server_changes_a_file(tmp_path: Path) -> None:
    """Goal: whatever was overlooked writes nothing. Method: an extension tries all ways."""
    folder = made(tmp_path / "books")
    (folder.path / "writes.py").write_text(WRITES)
    with folder.ledger.open("a") as file:
        file.write('2024-12-01 custom "fava-extension" "writes"\n')
    before = folder.files()
    with running(folder) as server:
        got = server.ask("GET", "/beancount/extension/Writes/write")
        assert (got.status, json.loads(got.body)) == (200, {"done": []})
        assert folder.files() == before
    with running(folder, "--read-write") as server:
        done = json.loads(server.ask("GET", "/beancount/extension/Writes/write").body)["done"]
        assert {"open", "low", "truncate"} & {*done}


def test_the_refusal_to_write_ends_with_the_server(tmp_path: Path) -> None:
    place = tempfile.gettempdir()
    with read_only_process.nothing_written(), pytest.raises(PermissionError, match="reading only"):
        (tmp_path / "file").write_text("x")
    (tmp_path / "file").write_text("x")
    assert tempfile.gettempdir() == place


def test_every_endpoint_with_every_command_changes_nothing(books: Folder) -> None:
    """Goal: no text that Fava takes from an address is a command that writes."""
    before = books.files()
    names = ("query_string", "filename", "filter", "account", "time", "entry_hash", "key")
    asked = 0
    with browser.loaded(books.ledger) as app:
        client = app.test_client()
        for rule in app.url_map.iter_rules():
            for name in COMMANDS if "GET" in (rule.methods or ()) else ():
                text = f".{name} {books.path / 'prices.beancount'}"
                there = dict.fromkeys(rule.arguments, text) | {"bfile": "beancount"}
                if "aggregation_key" in there:
                    there["aggregation_key"] = "account"
                _, path = rule.build(there, append_unknown=False) or ("", "")
                client.get(path, query_string=dict.fromkeys(names, text)).close()
                asked += 1
            assert books.files() == before, rule
    assert asked > 40 * len(COMMANDS)


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"}], ids=str
)
def test_its_own_pages_save_in_read_write_mode(
    headers: dict[str, str], read_write: tuple[Folder, Running]
) -> None:
    folder, server = read_write
    wanted = change(folder)
    sent = {name: text.format(port=server.port) for name, text in headers.items()}
    got = server.ask("PUT", "/beancount/api/source", wanted, **sent)
    assert got.status == 200, got.body
    assert folder.ledger.read_text() == wanted["source"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_changes_when_it_is_read_only(
    method: str, read_only: tuple[Folder, Running]
) -> None:
    folder, server = read_only
    before = folder.files()
    for path in ("source", "source_slice", "add_entries", "add_document", "document", "move"):
        got = server.ask(method, f"/beancount/api/{path}", change(folder))
        assert got.status == 403
        assert "--read-write" in got.error
    assert folder.files() == before
    assert not list(folder.path.glob(".*picklecache*"))


def test_fava_itself_is_read_only_behind_the_guard(tmp_path: Path) -> None:
    folder = made(tmp_path / "books")
    with browser.loaded(folder.ledger) as app:
        got = app.test_client().put("/beancount/api/source", json=change(folder))
    assert got.status_code == 401


def test_head_tells_what_get_would_without_the_page(read_only: tuple[Folder, Running]) -> None:
    _, server = read_only
    for path in ("/beancount/income_statement/", "/static/app.js", "/beancount/nothing/"):
        head, get = server.ask("HEAD", path), server.ask("GET", path)
        assert (head.status, head.body) == (get.status, b"")
        for name in ("Content-Length", "Content-Type"):
            assert head.headers[name] == get.headers[name]


def test_what_is_not_sent_is_closed() -> None:
    """Goal: an answer to HEAD leaves no file open, as that to GET would not."""

    class Body(list[bytes]):
        closed = False

        def close(self) -> None:
            self.closed = True

    body = Body([b"page"])
    guard = serving.Guard(lambda _env, _start: body, "127.0.0.1", 80, read_write=False)
    env = {"REQUEST_METHOD": "HEAD", "PATH_INFO": "/", "HTTP_HOST": "127.0.0.1"}
    assert guard(env, lambda *_: None) == []  # type: ignore[arg-type]
    assert body.closed


PATHS = [
    "/",
    "/beancount/",
    "/beancount/income_statement/",
    "/beancount/api/ledger_data",
    "/beancount/download-journal/",
    "/beancount/nothing/",
    "/static/app.js",
    "/nothing",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", [None, "evil.example"])
def test_every_answer_has_the_headers(
    path: str, host: str | None, read_only: tuple[Folder, Running]
) -> None:
    _, server = read_only
    sent = {} if host is None else {"Host": host}
    headers = server.ask("GET", path, **sent).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert not [name for name in headers if name.startswith("Access-Control")]


def test_a_document_may_run_nothing(read_only: tuple[Folder, Running]) -> None:
    _, server = read_only
    for path in ("/beancount/document/?filename=x", "/beancount/statement/?entry_hash=x&key=y"):
        policy = server.ask("GET", path).headers["Content-Security-Policy"]
        assert "script-src 'none'" in policy
        assert "wasm" not in policy


NAMED = '2024-12-01 custom "fava-extension" "usance.fava"\n'


@pytest.mark.parametrize("line", ["", NAMED])
def test_its_pages_are_there_whether_the_ledger_names_them_or_not(
    line: str, tmp_path: Path
) -> None:
    folder = made(tmp_path / "books")
    with folder.ledger.open("a") as file:
        file.write(line)
    with browser.loaded(folder.ledger) as app:
        [ledger] = app.config["LEDGERS"].ledgers
        for _ in ("loaded", "loaded again"):
            pages = ledger.extensions.extension_details
            assert {"Margin", "Lending"} <= {page.report_title for page in pages}
            assert len(pages) == len({page.name for page in pages})
            assert ledger.errors == []
            ledger.load_file()
        for page in pages:
            if page.report_title:
                got = app.test_client().get(f"/beancount/extension/{page.name}/")
                assert got.status_code == 200, page.name


# Starting and ending


def launch(*arguments: str) -> tuple[int, str]:
    """Run a launcher that does not come to serve; return its exit code and what it said."""
    with mock.patch("cheroot.wsgi.Server.serve", side_effect=AssertionError("It serves")):
        done = CliRunner().invoke(main, ["fava", *arguments, "--no-browser"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stderr


def test_a_port_in_use_is_one_message(tmp_path: Path) -> None:
    folder = made(tmp_path / "books")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, told = launch(str(folder.ledger), "--port", str(port))
    assert code == 1
    assert told == (
        f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Name another port with --port (0 takes a free one), or another address with --host.\n"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "", "x" * 300])
def test_an_address_that_is_not_here_is_one_message(host: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "books")
    code, told = launch(str(folder.ledger), "--host", host, "--port", "0")
    assert code == 1
    assert told.startswith(f"Error: Cannot listen on {host}, port 0: ")
    assert told.count("\n") == 1


def test_a_ledger_that_is_missing_is_one_message(tmp_path: Path) -> None:
    code, told = launch(str(tmp_path / "missing.beancount"))
    assert code == 2
    assert "missing.beancount' does not exist" in told


def test_without_fava_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "books")
    monkeypatch.delattr("usance.fava.server")
    monkeypatch.delitem(sys.modules, "usance.fava.server")
    monkeypatch.setitem(sys.modules, "fava.application", None)
    code, told = launch(str(folder.ledger))
    assert code == 1
    assert told.endswith("Install it with: pip install 'usance[fava]'\n")
    assert told.count("\n") == 1


def test_an_extension_that_fails_is_one_message(tmp_path: Path) -> None:
    folder = made(tmp_path / "books")
    ledger = folder.ledger.read_text()
    broken = """2024-12-01 custom "fava-extension" "fava.ext.auto_commit" "{'a': b}"\n"""
    folder.ledger.write_text(ledger + broken)
    code, told = launch(str(folder.ledger), "--port", "0")
    assert code == 1
    assert told.startswith(f"Error: Fava cannot show {folder.ledger}: malformed node")
    assert "Traceback" not in told


def test_an_unknown_fava_is_not_let_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "books")
    monkeypatch.setattr(fava, "__version__", "1.31")
    code, told = launch(str(folder.ledger), "--port", "0", "--read-write")
    assert code == 1
    assert "Usance does not know how Fava 1.31 saves files" in told


def test_listening_to_others_is_warned_of(tmp_path: Path) -> None:
    """A free port of every address of this machine; the ledger is missing an extension."""
    folder = made(tmp_path / "books")
    with folder.ledger.open("a") as file:
        file.write("""2024-12-01 custom "fava-extension" "fava.ext.auto_commit" "{'a': b}"\n""")
    for options, what in (((), "read"), (("--read-write",), "read and change")):
        _, told = launch(str(folder.ledger), "--port", "0", "--host", EVERYWHERE, *options)
        who = f"anyone who reaches {EVERYWHERE}"
        warning = f"Warning: {who} can {what} this ledger; there is no password."
        assert told.splitlines()[0] == warning
    _, told = launch(str(folder.ledger), "--port", "0", "--host", "localhost")
    assert "Warning" not in told


@pytest.mark.parametrize("options", [["--no-browser"], []])
def test_it_opens_a_browser_unless_told_not_to(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "books")
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)

    def interrupted(_server: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cheroot.wsgi.Server.serve", interrupted)
    named = {"USANCE_FILE": str(folder.ledger), "DISPLAY": ":0"}
    done = CliRunner().invoke(main, ["fava", "--port", "0", *options], env=named)
    assert (done.exit_code, done.stderr) == (0, "")
    told = re.fullmatch(r"(.*) is at (http://127\.0\.0\.1:\d+/) until .*\n", done.stdout)
    assert told is not None
    assert told[1] == str(folder.ledger)
    assert opened == ([] if options else [told[2]])


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000/"),
        (EVERYWHERE, "http://127.0.0.1:5000/"),
        ("::", "http://[::1]:5000/"),
        ("books.lan", "http://books.lan:5000/"),
    ],
)
def test_an_address_can_be_opened_here(host: str, shown: str) -> None:
    assert serving.address(host, 5000) == shown


# Saving


@pytest.fixture
def books(tmp_path: Path) -> Folder:
    return made(tmp_path / "books")


@pytest.fixture
def editor(books: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """Return a client of a ledger that may be edited."""
    monkeypatch.setattr(fava_file, "Path", Path)
    monkeypatch.setattr(json_api, "Path", Path)
    with browser.loaded(books.ledger, read_write=True) as app:
        yield app.test_client()


def entry_hash(editor: FlaskClient, narration: str) -> str:
    """Return the name that Fava has for the first entry with a narration."""
    entries = editor.get("/beancount/api/journal").get_json()["data"]
    return str(next(e for e in entries if e.get("narration") == narration)["entry_hash"])


def put(editor: FlaskClient, name: str, **body: object) -> Any:  # noqa: ANN401 -- Flask's
    return editor.put(f"/beancount/api/{name}", json=body)


def save_source(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    return put(editor, "source", **change(books))


def save_slice(editor: FlaskClient, _books: Folder, narration: str = "Deposit") -> Any:  # noqa: ANN401
    name = entry_hash(editor, narration)
    slice_ = editor.get(f"/beancount/api/source_slice?entry_hash={name}").get_json()["data"]
    source = slice_["slice"].replace(narration, f"{narration}, edited")
    return put(
        editor, "source_slice", entry_hash=name, source=source, sha256sum=slice_["sha256sum"]
    )


def delete_slice(editor: FlaskClient, _books: Folder, narration: str = "Deposit") -> Any:  # noqa: ANN401
    name = entry_hash(editor, narration)
    slice_ = editor.get(f"/beancount/api/source_slice?entry_hash={name}").get_json()["data"]
    return editor.delete(
        f"/beancount/api/source_slice?entry_hash={name}&sha256sum={slice_['sha256sum']}"
    )


def add_metadata(editor: FlaskClient, _books: Folder, narration: str = "Deposit") -> Any:  # noqa: ANN401
    name = entry_hash(editor, narration)
    return put(editor, "attach_document", filename="paper.txt", entry_hash=name)


def add_entry(editor: FlaskClient, _books: Folder) -> Any:  # noqa: ANN401
    note = {"t": "Note", "date": "2025-01-01", "meta": {}, "account": "Assets:Bank"}
    return put(editor, "add_entries", entries=[{**note, "comment": "A note"}])


Edit = Callable[[FlaskClient, Folder], Any]
EDITS = [save_source, save_slice, delete_slice, add_metadata, add_entry]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_saved_with_the_mode_that_the_file_had(
    edit: Edit, editor: FlaskClient, books: Folder
) -> None:
    books.ledger.chmod(0o640)
    before = books.files()
    got = edit(editor, books)
    assert got.status_code == 200, got.text
    after = books.files()
    assert [name for name in after if after[name] != before.get(name)] == ["main.beancount"]
    assert books.ledger.stat().st_mode & 0o7777 == 0o640


def failing(number: int, after: int = 0) -> Callable[..., int]:
    """Return a call that fails, writing so many bytes before."""
    written = 0

    def call(descriptor: object, data: bytes = b"", *_: object) -> int:
        nonlocal written
        if written < after:
            written += 1
            return WRITE(descriptor, data[:1])
        raise OSError(number, os.strerror(number))

    return call


WRITE: Callable[..., int] = os.write
FAULTS = {
    "full": ("write", errno.ENOSPC, 0),
    "half full": ("write", errno.ENOSPC, 100),
    "not on the disk": ("fsync", errno.EIO, 0),
    "no rename": ("replace", errno.EIO, 0),
    "no new file": ("open", errno.EMFILE, 0),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_save_leaves_every_byte(
    edit: Edit, fault: str, editor: FlaskClient, books: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = books.files()
    call, number, after = FAULTS[fault]
    with monkeypatch.context() as broken:
        broken.setattr(f"usance.ledger.disk.os.{call}", failing(number, after))
        got = edit(editor, books)
    assert got.status_code == 403
    assert got.get_json()["error"] == (
        f"{books.ledger} could not be saved: {os.strerror(number)}. "
        "The file holds the old text or the new one, whole. Remove the cause, then save again."
    )
    assert books.files() == before


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_that_may_not_be_written_is_left_as_it_is(
    edit: Edit, editor: FlaskClient, books: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: one write-protected by its mode too, though its folder would let it be replaced."""
    before = books.files()
    access = os.access

    def denied(path: Path, mode: int) -> bool:
        return access(path, mode) and (path, mode) != (books.ledger.resolve(), os.W_OK)

    monkeypatch.setattr(os, "access", denied)  # root, who may run this, writes to any file
    got = edit(editor, books)
    assert got.status_code == 403
    assert got.get_json()["error"].endswith(
        "is write-protected. Change its permissions and save again."
    )
    assert books.files() == before


def eventually(true: Callable[..., bool], *of: object) -> bool:
    """Wait for what a watcher of files notices in a moment."""
    for _ in range(100):
        if true(*of):
            return True
        time.sleep(0.1)
    return False


def test_a_ledger_that_is_gone_for_a_moment_stays_in_sight(books: Folder) -> None:
    """Goal: as in a checkout; the address stays, and what comes back is seen."""
    books.ledger.write_text(f'option "title" "My books"\n{books.ledger.read_text()}')
    with browser.loaded(books.ledger) as app:
        fava = app.test_client()
        title = app.config["LEDGERS"].first_slug()
        assert title == "my-books"
        text = books.ledger.read_text()

        def seen(figure: str) -> bool:
            got = fava.get(f"/{title}/extension/UsanceSubAccounts/")
            assert got.status_code == 200
            return f'value="{figure}' in got.text

        assert seen("1000.")
        for more, figure in (("500", "1500."), ("750", "1750.")):
            books.ledger.unlink()
            for _ in range(10):
                assert seen("1000." if more == "500" else "1500.")
                time.sleep(0.1)
            books.ledger.write_text(
                f'{text}2025-01-02 * "More"\n  Assets:Backpack:Main:Wallet   {more} USDC\n'
                f"  Assets:Bank   -{more} USDC\n"
            )
            assert eventually(seen, figure)


def test_an_address_stays_when_its_title_goes(editor: FlaskClient, books: Folder) -> None:
    """Goal: what is open can save what mends a title, as what changes it; another is not found."""

    def saved(source: str) -> bool:
        sha = hashlib.sha256(books.ledger.read_bytes()).hexdigest()
        file = str(books.ledger)
        got = put(editor, "source", file_path=file, source=source, sha256sum=sha)
        return bool(got.status_code == 200)

    text = books.ledger.read_text()
    for source in (
        f'option "title" "Our books"\n{text}',
        f'option "title" "Our books\n{text}',
        "",
        text,
    ):
        assert saved(source)
        assert eventually(lambda: editor.get("/beancount/errors/").status_code == 200)
    assert editor.get("/our-books/errors/").status_code == 200
    assert editor.get("/their-books/errors/").status_code == 404


def test_requests_at_once_load_once(
    books: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: of what comes back; two loads at once would break Fava's watcher."""
    (books.path / "posted").rename(tmp_path / "posted")
    with browser.loaded(books.ledger) as app:
        loads: list[object] = []
        load = vars(fava_core)["load_uncached"]

        def slowly(*rest: Any, **options: Any) -> Any:  # noqa: ANN401
            loads.append(rest)
            time.sleep(0.3)
            return load(*rest, **options)

        monkeypatch.setattr(fava_core, "load_uncached", slowly)
        (tmp_path / "posted").rename(books.path / "posted")
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(app.test_client().get, "/beancount/errors/") for _ in range(6)]
        assert [got.result().status_code for got in asked] == [200] * 6
        assert len(loads) <= 2  # one more where the watcher sees what else has come


@pytest.mark.parametrize("way", ["rename", "write"])
def test_an_included_file_that_is_gone_for_a_moment_is_seen_again(way: str, books: Folder) -> None:
    file = books.path / "prices.beancount"
    text = file.read_bytes()
    with browser.loaded(books.ledger) as app:
        fava = app.test_client()

        def wrong() -> bool:
            fava.get("/beancount/errors/")  # a page looks whether files have changed
            answer = fava.get("/beancount/api/errors").get_json()
            return "does not match any files" in str(answer["data"])

        assert not wrong()
        aside = file.with_suffix(".aside")
        file.rename(aside)
        assert eventually(wrong)
        if way == "rename":
            aside.rename(file)
        else:
            file.write_bytes(text)
        assert not wrong()


def test_a_disk_that_is_full_leaves_every_byte_for_the_running_launcher(
    read_write: tuple[Folder, Running],
) -> None:
    """The kernel refuses what is longer than 100 bytes; Fava's own write would leave those."""
    folder, server = read_write
    before = folder.files()
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (100, -1))
    try:
        got = server.ask("PUT", "/beancount/api/source", change(folder))
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert (got.status, "could not be saved: File too large" in got.error) == (403, True)
    assert folder.files() == before


def test_line_ends_stay(editor: FlaskClient, books: Folder) -> None:
    assert put(editor, "source", **change(books, "prices.beancount")).status_code == 200
    assert books.files()["prices.beancount"] == (b"2025-01-01 price SOL 150 USDC\r\n; more\r\n")


def test_what_is_no_text_is_not_saved(editor: FlaskClient, books: Folder) -> None:
    before = books.files()
    got = put(editor, "source", **change(books, more="\ud800"))
    assert (got.status_code, "could not be saved" in got.get_json()["error"]) == (403, True)
    assert books.files() == before


def test_a_link_is_saved_where_it_leads(editor: FlaskClient, books: Folder) -> None:
    prices = books.path / "prices.beancount"
    (books.path / "kept").mkdir()
    target = prices.rename(books.path / "kept" / "prices")
    prices.symlink_to(target)
    assert put(editor, "source", **change(books, "prices.beancount")).status_code == 200
    assert prices.is_symlink()
    assert target.read_text().endswith("; more\n")


def test_a_link_out_of_the_folder_is_not_followed(
    editor: FlaskClient, books: Folder, tmp_path: Path
) -> None:
    prices = books.path / "prices.beancount"
    target = prices.rename(tmp_path / "prices")
    prices.symlink_to(target)
    got = put(editor, "source", **change(books, "prices.beancount"))
    assert got.status_code == 403
    assert "is outside the ledger's folder" in got.get_json()["error"]
    assert "more" not in target.read_text()


CLOSED = "posted/2024-12.beancount"


def change_closed(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    return put(editor, "source", **change(books, CLOSED))


def reloaded(editor: FlaskClient) -> None:
    editor.application.config["LEDGERS"].ledgers[0].load_file()


def change_closed_by_a_folder(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    (books.path / "closed").symlink_to(books.path / "posted")
    books.edit("posted/*.beancount", "closed/*.beancount")
    reloaded(editor)
    return put(editor, "source", **change(books, "closed/2024-12.beancount"))


def change_closed_by_a_link(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    (books.path / "month.beancount").symlink_to(books.path / CLOSED)
    books.edit("posted/*.beancount", "month.beancount")
    reloaded(editor)
    return put(editor, "source", **change(books, "month.beancount"))


def change_closed_elsewhere(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    month = books.path / CLOSED
    month.symlink_to(month.rename(books.path / "month"))
    reloaded(editor)
    return put(editor, "source", **change(books, CLOSED))


def save_closed(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    return save_slice(editor, books, "Lending")


def delete_closed(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    return delete_slice(editor, books, "Lending")


def describe_closed(editor: FlaskClient, books: Folder) -> Any:  # noqa: ANN401
    return add_metadata(editor, books, "Lending")


@pytest.mark.parametrize(
    "edit",
    [
        change_closed,
        change_closed_by_a_folder,
        change_closed_by_a_link,
        change_closed_elsewhere,
        save_closed,
        delete_closed,
        describe_closed,
    ],
)
def test_closed_days_are_not_edited(edit: Edit, editor: FlaskClient, books: Folder) -> None:
    before = books.posted()
    got = edit(editor, books)
    assert got.status_code == 403
    assert "holds closed days, which are sealed" in got.get_json()["error"]
    assert books.posted() == before


KEPT = ["main.beancount", "prices.beancount", "rates/usdc.csv", CLOSED, "posted/2024-12.inputs"]


@pytest.mark.parametrize("name", KEPT)
def test_a_file_of_the_ledger_is_no_document_to_delete_or_move(
    name: str, editor: FlaskClient, books: Folder
) -> None:
    """The import folder of these books is the ledger's own."""
    before = books.files()
    path = str(books.path / name)
    deleted = editor.delete("/beancount/api/document", query_string={"filename": path})
    moved = put(editor, "move", filename=path, account="Assets:Bank", new_name="2025-01-01 x")
    for got in (deleted, moved):
        assert (got.status_code, "is a file of the ledger" in got.get_json()["error"]) == (
            403,
            True,
        )
    assert books.files() == before


def test_a_document_can_be_deleted(editor: FlaskClient, books: Folder) -> None:
    paper = books.path / "papers" / "paper.txt"
    paper.write_text("Paper")
    got = editor.delete("/beancount/api/document", query_string={"filename": str(paper)})
    assert (got.status_code, paper.exists()) == (200, False)


def test_nothing_is_saved_while_days_are_closed(editor: FlaskClient, books: Folder) -> None:
    before = books.files()
    with locked(books.path / "posted", pytest.fail):
        got = save_source(editor, books)
    assert (got.status_code, got.get_json()["error"]) == (
        403,
        "usance accrue is closing days. Save again in a moment.",
    )
    assert books.files() == before
    assert save_source(editor, books).status_code == 200


def test_the_writes_of_fava_are_the_known_ones() -> None:
    """Goal: a new release is read before it may write. Method: all ways to write are counted."""
    assert fava.__version__.startswith(saving.FAVA)
    writing = re.compile(
        r"""open\([^)]*["'][wax+]|write_text|write_bytes|\.save\(|unlink|shutil\.move|os\.replace"""
    )
    found = {
        path.relative_to(Path(fava.__file__).parent).as_posix(): [*map(str.strip, lines)]
        for path in sorted(Path(fava.__file__).parent.rglob("*.py"))
        if (lines := [line for line in path.read_text().splitlines() if writing.search(line)])
    }
    assert found == {
        "core/file.py": ['with path.open("w", encoding="utf-8", newline=newline) as file:'] * 5,
        "json_api.py": [
            "shutil.move(filename, new_path)",
            "file_path.unlink()",
            "upload.save(filepath)",
            "upload.save(filepath)",
        ],
    }


# In a browser


@pytest.fixture(scope="module")
def visit(
    read_only: tuple[Folder, Running],
    playwright: Playwright,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[browser.Visit]:
    _, server = read_only
    profile = tmp_path_factory.mktemp("profile")
    with browser.visited(playwright, server.base, profile) as made:
        yield made


def pages(visit: browser.Visit) -> list[str]:
    """Return the pages that the sidebar leads to, and one of an account."""
    visit.page.goto(visit.base)
    visit.page.locator("aside a").first.wait_for()
    links = visit.page.locator("aside a").evaluate_all("all => all.map(a => a.href)")
    found = {str(link).split("?")[0].split("#")[0] for link in links}
    ledger = "/".join(visit.page.url.split("/")[:4])
    return [*sorted(found), f"{ledger}/account/Assets:Backpack:Main:Wallet/"]


def look(visit: browser.Visit, page: str) -> None:
    """Open a page, and wait until it has all that it asks for."""
    visit.page.goto(page)
    visit.page.locator("article > *").first.wait_for(state="attached")
    visit.page.wait_for_load_state("networkidle")


@browser.NEEDED
def test_no_page_of_fava_is_hindered_by_the_policy(visit: browser.Visit) -> None:
    found = pages(visit)
    assert len(found) > 12
    visit.wrong.clear()
    for page in found:
        look(visit, page)
        assert visit.wrong == [], page
    visit.page.goto(f"{visit.base}/beancount/query/?query_string=SELECT+account+LIMIT+1")
    visit.page.get_by_text("Assets:Backpack:Main:Wallet").first.wait_for()
    assert visit.wrong == []


@browser.NEEDED
def test_the_policy_stops_what_a_page_was_made_to_hold(visit: browser.Visit) -> None:
    look(visit, f"{visit.base}/beancount/errors/")
    visit.wrong.clear()
    visit.page.evaluate(
        """() => document.querySelector('article').innerHTML =
        '<img src="x:" onerror="window.__xss = 1"><a href="javascript:window.__xss = 2">a</a>'"""
    )
    visit.page.locator("article a").dispatch_event("click")
    visit.page.wait_for_timeout(300)
    assert visit.page.evaluate("window.__xss") is None
    assert len([told for told in visit.wrong if "Content Security Policy" in told]) >= 2


@browser.NEEDED
def test_it_is_not_shown_in_a_frame(
    visit: browser.Visit, read_only: tuple[Folder, Running]
) -> None:
    """A page of another origin frames the ledger: neither a click nor a look goes through."""
    _, server = read_only

    def page(_env: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [f'<iframe src="{server.base}/beancount/errors/"></iframe>'.encode()]

    with browser.served(page) as other:
        visit.page.goto(other)
        visit.page.wait_for_load_state("networkidle")
        [_, frame] = visit.page.frames
        assert frame.url == "chrome-error://chromewebdata/"


@browser.NEEDED
def test_a_page_of_another_site_asks_for_nothing(
    visit: browser.Visit, read_only: tuple[Folder, Running]
) -> None:
    """Goal: an image, a script, a style and a form of another site stay without an answer."""
    folder, server = read_only
    before = folder.files()
    query = f"{server.base}{QUERY}{quote(f'.output {folder.path}/prices.beancount')}"

    def page(_env: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        body = (
            f'<img src="{query}"><script src="{query}"></script>'
            f'<link rel="stylesheet" href="{query}"><iframe src="{query}"></iframe>'
            f'<form action="{server.base}{LEDGER_DATA}"><button>send</button></form>'
            f'<a href="{server.base}{PAGE}">link</a>'
        )
        return [body.encode()]

    got: dict[str, set[int]] = {}
    visit.page.on("response", lambda answer: got.setdefault(answer.url, set()).add(answer.status))
    with browser.served(page) as other:
        visit.page.goto(other)
        visit.page.wait_for_load_state("networkidle")
        assert got[query] == {403}
        visit.page.get_by_text("send").click()
        visit.page.wait_for_load_state("networkidle")
        assert "Only pages of this server" in visit.page.content()
        visit.page.goto(other)
        visit.page.get_by_text("link").click()
        visit.page.locator("article > *").first.wait_for(state="attached")
    assert folder.files() == before


# Payloads

PAYLOADS = [
    "<img src=x: onerror=window.__xss=1>",
    "<svg onload=window.__xss=2></svg>",
    "</script><script>window.__xss=3</script>",
    "'\\\"><script>window.__xss=4</script>",
    "<iframe srcdoc='<script>parent.__xss=5</script>'></iframe>",
    "{{ 'in' ~ 'jected' }}<b onmouseover=window.__xss=6></b>",
    "javascript:window.__xss=7",
]
"""As they stand between the quotes of a ledger: a quote has its backslash."""


HOSTILE = """
2024-12-30 commodity COIN{number}
  name: "{text}"
  quantum: "{text}"
2024-12-30 open Assets:Place{number}
  told: "{text}"
2024-12-31 * "{text}" "{text}" #tag{number} ^link{number}
  told: "{text}"
  time: "{text}"
  Assets:Place{number}   1 USDC
    told: "{text}"
  Assets:Bank   -1 USDC
2024-12-31 * "{text}" "In the wallet"
  usance: "{text}"
  Assets:Backpack:Main:Wallet   1 USDC
  Assets:Bank   -1 USDC
2024-12-31 note Assets:Place{number} "{text}"
2024-12-31 event "{text}" "{text}"
2024-12-31 query "{text}" "SELECT {number}"
2024-12-31 document Assets:Place{number} "papers/{text}"
2024-12-31 custom "{text}" "{text}"
2024-12-31 custom "fava-option" "{text}" "{text}"
2024-12-30 custom "sub-account" "{text}" Assets:Backpack:Other{number}
  venue: "{text}"
  unknown: "{text}"
2024-12-30 custom "lending-pool" "{text}"
  rates: "{text}"
  venue: "{text}"
2024-12-30 custom "lending-pool" "COIN{number}"
  rates: "observed"
2024-12-30 custom "lending-rate" "COIN{number}" "rates/{number}.csv"
2024-12-31 custom "lending-rate" "COIN{number}" "{text}"
2024-12-30 custom "perpetual" "{text}"
  settle: "{text}"
2024-12-30 custom "collateral" "{text}"
  weight: "{text}"
2024-12-30 custom "yield-product" "{text}"
  asset: "{text}"
  source: "{text}"
2024-12-30 custom "treasury-rate" "{text}" "{text}"
plugin "{text}"
"""


def hostile(path: Path) -> Folder:
    """Return books in which each place for free text holds each payload, and so do their errors."""
    folder = Folder.made(path, LEDGER)
    (folder.path / "prices.beancount").write_text("2025-01-01 price SOL 150 USDC\n")
    with folder.ledger.open("a") as file:
        file.write(f'option "title" "{PAYLOADS[2]}"\n')
        for number, text in enumerate(PAYLOADS):
            file.write(HOSTILE.format(number=number, text=text))
            rows = f"time_utc,supply_apr,borrow_apr\n2024-12-30T00:00:00Z,{text},0.1\n"
            (folder.path / "rates" / f"{number}.csv").write_text(rows)
    return folder


@contextmanager
def attacked(playwright: Playwright, path: Path) -> Iterator[tuple[browser.Visit, str]]:
    """Show hostile books without the policy, which would stop what is not escaped."""
    folder = hostile(path / "books")
    with (
        browser.shown(folder.ledger) as base,
        browser.visited(playwright, base, path / "profile") as visit,
    ):
        told: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            told.append(dialog.message)
            dialog.dismiss()

        visit.page.on("dialog", dismiss)
        yield visit, base
        assert told == []


def harmless(visit: browser.Visit, page: str) -> str:
    """Check that no text of the ledger has become a part of the page; return the page."""
    assert visit.page.evaluate("window.__xss") is None, page
    assert visit.page.locator('[href^="javascript:"]').count() == 0, page
    text = visit.page.content()
    assert "injected" not in text, page
    return text


@browser.NEEDED
def test_no_text_of_a_ledger_runs_in_a_page(playwright: Playwright, tmp_path: Path) -> None:
    """Goal: texts are escaped, on each page as a whole."""
    with attacked(playwright, tmp_path) as (visit, base):
        shown = ""
        found = pages(visit)
        for text in map(quote, PAYLOADS):
            found.append(f"{base}/extension/UsanceVerify/?id={text}")
            found.append(f"{base}/extension/UsanceMargin/?time={text}&conversion={text}")
            found.append(f"{base}/journal/?account={text}&filter={text}")
        found.append(f"{base}/extension/UsanceVerify/?id=lending/2024-12-31/Main")
        for page in found:
            look(visit, page)
            shown += harmless(visit, page)
        for payload in PAYLOADS[:2]:
            assert shown.count(html.escape(payload, quote=False)) > 10


@browser.NEEDED
def test_no_text_of_a_ledger_runs_after_a_click(playwright: Playwright, tmp_path: Path) -> None:
    """Goal: nor on a page that is put into the one before, nor in the dialog of an entry."""
    with attacked(playwright, tmp_path) as (visit, base):
        page = visit.page
        look(visit, f"{base}/journal/")
        links = page.locator("aside a:not(.secondary)").evaluate_all(
            "all => all.map(a => a.getAttribute('href')).filter(href => !href.startsWith('#'))"
        )
        assert len(links) > 12
        for name in links:
            page.locator(f'aside a[href="{name}"]').first.click()
            page.wait_for_url(re.compile(f"{re.escape(name)}$"))
            page.wait_for_load_state("networkidle")
            harmless(visit, name)
        look(visit, f"{base}/journal/")
        entries = page.locator('article a[href^="#context-"]').evaluate_all(
            "all => [...new Set(all.map(a => a.getAttribute('href')))]"
        )
        assert len(entries) > 5 * len(PAYLOADS)
        shown = ""
        for entry in entries:
            page.evaluate("hash => { location.hash = hash; }", entry)
            page.locator("dialog[open]").wait_for()
            page.wait_for_load_state("networkidle")
            shown += harmless(visit, entry)
            page.keyboard.press("Escape")
            page.wait_for_function("!location.hash && !document.querySelector('dialog[open]')")
        assert shown.count(html.escape(PAYLOADS[0], quote=False)) > 10


def test_a_pipe_in_the_place_of_a_month_does_not_hold_the_launcher_up(tmp_path: Path) -> None:
    """Goal: one message, as all commands have it; Beancount itself would wait for the pipe."""
    folder = made(tmp_path / "books")
    os.mkfifo(folder.path / "posted" / "2025-06.beancount")
    done = folder.usance("fava", "--port", "0", "--no-browser")
    assert done.exit_code == 1
    assert "Not a plain file" in done.stderr
