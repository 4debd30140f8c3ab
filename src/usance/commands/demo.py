"""`usance demo`: the demo ledger, whole."""

import shlex
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from usance.commands.options import MAIN, NewFolder


def packaged() -> Traversable:
    """Return the folder of the demo: in the package, or in the clone that an editable install uses.

    It is one folder, ledgers/demo, that pyproject.toml maps into the package.
    """
    package = resources.files("usance")
    inside = package / "demo"
    return inside if inside.is_dir() else package / ".." / ".." / "ledgers" / "demo"


def files(folder: Traversable, at: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield each file of the demo, by name, with the path that it gets."""
    for found in sorted(folder.iterdir(), key=lambda item: item.name):
        if found.is_dir():
            yield from files(found, at / found.name)
        else:
            yield at / found.name, found.read_bytes()


@click.command(short_help="Write a ledger that shows everything")
@click.argument("folder", metavar="DIR", type=NewFolder())
def demo(folder: str) -> None:
    """Write the demo ledger into DIR: three months of a margin account at real rates and prices.

    One sub-account lends, one trades a contract, and one is liquidated. The command never
    overwrites a file.

    \b
    Example:
      usance demo demo
      usance fava demo/main.beancount
    """
    top = Path(folder)
    written = dict(files(packaged(), top))
    taken = [str(path) for path in written if path.exists() or path.is_symlink()]
    if taken:
        raise click.ClickException(f"{taken[0]} already exists. Name another folder.")
    try:
        for path, data in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(data)
    except OSError as error:
        raise click.ClickException(
            f"Cannot write {error.filename}: {error.strerror}. Name another folder."
        ) from error
    ledger = top / MAIN
    click.echo(f"Wrote {ledger} and {len(written) - 1} files beside it")
    click.echo(f"Now try: usance status {shlex.quote(str(ledger))}")
