"""`usance init`: a ledger to start from."""

from importlib import resources
from pathlib import Path

import click

from usance.feeding.downloads import IMPORTED
from usance.language.provenance import POSTED

FED = ("backpack",)
"""The venues that `usance fetch` asks: of others, a person imports files."""

CLOSED = "; Closed days are posted beside this file, a month each.\n"
FIRST = "; What usance import makes of the downloads is written beside this file.\n"


@click.command(short_help="Write a ledger to start from")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--feed",
    "venue",
    type=click.Choice(FED),
    help="A ledger that is fed by what this venue says, with DIR/imported.",
)
def init(folder: str, venue: str | None) -> None:
    """Write a ledger to start from: DIR/main.beancount and DIR/posted.

    The ledger loads and accrues without errors, and has terms to edit. The command never overwrites
    a file.

    \b
    Examples:
      usance init books
      usance init books --feed backpack
    """
    top = Path(folder)
    ledger = top / "main.beancount"
    template = "first_month.beancount" if venue is None else "first_feed.beancount"
    files = {
        ledger: resources.files("usance").joinpath(template).read_text("utf-8"),
        top / POSTED / "first.beancount": CLOSED,
    }
    if venue is not None:
        files[top / IMPORTED / "first.beancount"] = FIRST
    _write(files)
    for path in files:
        click.echo(f"Wrote {path}")
    if venue is None:
        click.echo(f"Now try: usance lending {ledger} --to 2025-05-07")
        return
    click.echo(
        f"Now set the date of the feed in {ledger}, write a key that may only read into\n"
        "~/.config/usance/keys.toml (chmod 600),\n"
        f'  [{venue}.Main]\n  key = "..."\n  secret = "..."\n'
        f"and run:\n  usance fetch {ledger}\n  usance import {ledger}\n  usance check {ledger}"
    )


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
