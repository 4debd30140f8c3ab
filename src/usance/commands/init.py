"""`usance init`: a ledger to start from."""

import datetime
import re
import shlex
from importlib import resources
from pathlib import Path

import click

from usance.commands.options import MAIN, NewFolder, first_of, yesterday
from usance.feeding.downloads import IMPORTED
from usance.language.provenance import POSTED

KNOWN = ("backpack",)
"""The venues whose terms travel in the package, each in the folder of its name."""

FED = ("backpack",)
"""The venues that `usance fetch` asks: of others, a person imports files."""

CLOSED = "; Closed days are posted beside this file, a month each.\n"
FIRST = "; What usance import makes of the downloads is written beside this file.\n"

BEGIN = datetime.date(2025, 5, 1)
"""The first day of the templates. A ledger has the same days from its own first day on."""

DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
TERM = re.compile(
    r'^(\d{4}-\d\d-\d\d) ((?:commodity|custom "[\w-]+") \S+)(?:\n  .*)*', re.MULTILINE
)


@click.command(short_help="Write a ledger to start from")
@click.argument("folder", metavar="DIR", type=NewFolder())
@click.option(
    "--from",
    "since",
    type=first_of,
    metavar="DATE",
    show_default="today (UTC)",
    help="First day of the books.",
)
@click.option(
    "--venue",
    type=click.Choice(KNOWN),
    show_default=KNOWN[0],
    help="The venue whose terms are written into DIR/venues.",
)
@click.option(
    "--feed",
    type=click.Choice(FED),
    help="A ledger that this venue feeds with rows, terms and prices, with DIR/imported.",
)
def init(folder: str, since: datetime.date | None, venue: str | None, feed: str | None) -> None:
    """Write a ledger to start from: DIR/main.beancount, DIR/posted, and the terms of a venue.

    The ledger loads and accrues without errors as it is, and says which lines to change. The
    command asks nothing and never overwrites a file.

    \b
    Examples:
      usance init books
      usance init books --from 2025-05-05
      usance init books --feed backpack
    """
    if feed and venue:
        raise click.UsageError(
            "--feed takes terms from the venue itself, --venue from this package. Use one of them."
        )
    today = yesterday() + datetime.timedelta(days=1)
    since = since or today
    if since > today:
        raise click.UsageError(f"--from {since} is still to come. Write a day until {today}.")
    top = Path(folder)
    ledger = top / MAIN
    template = _packaged("first_feed.beancount" if feed else "first_ledger.beancount")
    files = {
        ledger: _shifted(template, since),
        top / POSTED / "first.beancount": CLOSED,
    }
    if feed:
        files[top / IMPORTED / "first.beancount"] = FIRST
    else:
        venue = venue or KNOWN[0]
        terms = _packaged(f"venues/{venue}/terms.beancount")
        files[top / "venues" / f"{venue}.beancount"] = _as_of(terms, since.isoformat())
    _write(files)
    for path in files:
        click.echo(f"Wrote {path}")
    named = shlex.quote(str(ledger))
    if feed:
        click.echo(
            f"Rows of the venue are booked from {since} on. Now write a key that may only read\n"
            "into ~/.config/usance/keys.toml (chmod 600),\n"
            f'  [{feed}.Main]\n  key = "..."\n  secret = "..."\n'
            f"and run:\n  usance fetch {named}\n  usance import {named}\n  usance check {named}"
        )
        return
    click.echo(
        "Its figures are examples: write your own over them. Now try:\n"
        f"  usance status {named}\n  usance fava {named}"
    )


def _packaged(name: str) -> str:
    return resources.files("usance").joinpath(name).read_text("utf-8")


def _shifted(template: str, since: datetime.date) -> str:
    """Return a template with its days from another first day on."""

    def day(match: re.Match[str]) -> str:
        return (since + (datetime.date.fromisoformat(match[0]) - BEGIN)).isoformat()

    return DATE.sub(day, template)


def _as_of(terms: str, since: str) -> str:
    """Return the terms of a venue for books that begin on a day.

    Terms that were first seen later count from that day, because books need some. Later ones stand
    as comments: a dated line would make the books run until then.
    """
    known = set[str]()

    def dated(match: re.Match[str]) -> str:
        text, date, what = match[0], match[1], match[2]
        if date <= since or what not in known:
            known.add(what)
            return min(date, since) + text[len(date) :]
        return "".join(f"; {line}" for line in text.splitlines(keepends=True))

    return TERM.sub(dated, terms)


def _write(files: dict[Path, str]) -> None:
    taken = [str(path) for path in files if path.exists() or path.is_symlink()]
    if taken:
        raise click.ClickException(f"{taken[0]} already exists. Name another folder.")
    try:
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(
            f"Cannot write {error.filename}: {error.strerror}. Name another folder."
        ) from error
