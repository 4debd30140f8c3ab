"""`usance fetch`: store what a venue says of the feeds of a ledger."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from usance.commands.options import with_ledger, with_lines
from usance.commands.tables import as_json, table
from usance.feeding import ccxt_reader, fetching
from usance.feeding.downloads import RefusedError
from usance.feeding.fetching import Request, World
from usance.feeding.own_text import own
from usance.feeding.pacing import FetchError


def address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """Return the address of a venue: https, or http to this computer."""
    try:
        return None if url is None else ccxt_reader.checked(url)
    except RefusedError as error:
        raise click.BadParameter(str(error)) from None


with_key_file = click.option(
    "--keys",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    show_default="USANCE_KEYS, else ~/.config/usance/keys.toml",
    help="File of the keys that let the venue be read.",
)

with_url = click.option(
    "--url",
    callback=address,
    metavar="URL",
    show_default="USANCE_BACKPACK_URL, else the venue's own",
    help="Address of the venue: https, or http to this computer.",
)


@click.command(short_help="Store what a venue says of the feeds of a ledger")
@with_ledger
@click.option(
    "--sub-account",
    "names",
    multiple=True,
    metavar="NAME",
    show_default="all",
    help="Fetch only the feed of this sub-account; may be given more than once.",
)
@with_key_file
@with_url
@click.option(
    "--all-settlements",
    is_flag=True,
    help="Fetch every settlement: one each ten seconds of an open contract.",
)
@with_lines
def fetch(
    path: str,
    names: tuple[str, ...],
    key_file: Path | None,
    url: str | None,
    all_settlements: bool,
    form: str,
) -> None:
    """Store what a venue says of the feeds of LEDGER, in the folder downloads beside it.

    The venue is only read. A run goes on where the last one stopped, and what came is kept however
    it ends. It takes a snapshot of each sub-account last.

    The key of sub-account Main stands in the variables USANCE_BACKPACK_MAIN_KEY and
    USANCE_BACKPACK_MAIN_SECRET, or in a file of keys below [backpack.Main]. It exits 1 if the
    venue refuses the key, or gives no answer for too long.

    \b
    Examples:
      usance fetch books/main.beancount
      usance fetch books/main.beancount --sub-account Main --keys ~/main-keys.toml
      usance fetch books/main.beancount --all-settlements --format json
    """
    try:
        answer = answered(path, Request(names, key_file, url, all_settlements))
    except (RefusedError, FetchError) as error:
        raise click.ClickException(str(error)) from None
    if form == "json":
        click.echo(as_json(answer), nl=False)
        return
    for line in lines(answer):
        click.echo(line)
    for note in answer["notes"]:
        click.echo(f"note: {note}.", err=True)


def answered(path: str, request: Request) -> dict[str, Any]:
    """Fetch, and return the answer of the command as JSON has it.

    RefusedError and FetchError have a person's text.
    """
    world = World(os.environ, lambda text: click.echo(text, err=True))
    answer = fetching.fetch(own(path), request, world)
    return {**answer, "snapshots": [beside_ledger(path, name) for name in answer["snapshots"]]}


def beside_ledger(path: str, place: str) -> str:
    """Return a path in a ledger's folder, relative to the same folder as the ledger's."""
    return str(Path(path).parent / place)


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the answer for a person: rows of each feed, then the snapshots."""
    if answer["fetched"]:
        columns = ["Sub-account", "Feed", "Rows ", "New ", "Pages "]
        rows = [
            [
                entry["sub_account"],
                entry["feed"],
                f"{entry['rows']:,}",
                f"{entry['new']:,}",
                f"{entry['pages']:,}",
            ]
            for entry in answer["fetched"]
        ]
        yield table("", columns, rows).rstrip()
    for snapshot in answer["snapshots"]:
        yield f"Snapshot: {snapshot}"
