"""`usance init`: a ledger to start from."""

from importlib import resources
from pathlib import Path

import click


@click.command(short_help="Write a ledger to start from")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def init(folder: str) -> None:
    """Write a ledger to start from: DIR/main.beancount and DIR/posted.

    The ledger loads and accrues without errors, and has terms to edit. The command never overwrites
    a file.

    \b
    Example:
      usance init books
    """
    top = Path(folder)
    files = {
        top / "main.beancount": resources.files("usance")
        .joinpath("first_month.beancount")
        .read_text("utf-8"),
        top
        / "posted"
        / "first.beancount": "; Closed days are posted beside this file, a month each.\n",
    }
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
    for path in files:
        click.echo(f"Wrote {path}")
    click.echo(f"Now try: usance lending {top / 'main.beancount'} --to 2025-05-07")
