"""`usance fava`: serve a ledger's pages."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

import click

from usance.commands.options import with_ledger


@click.command(name="fava", short_help="Show a ledger in Fava, with Usance's pages")
@with_ledger
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
    metavar="N",
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--read-write", is_flag=True, help="Allow edits, except of closed days.")
def fava_(path: str, host: str, port: int, no_browser: bool, read_write: bool) -> None:
    """Show LEDGER in Fava, with Usance's pages.

    Unless you ask for more, only this machine can open the pages, and nobody can change the ledger.
    Press Ctrl-C to stop.

    \b
    Examples:
      usance fava books/main.beancount
      usance fava books/main.beancount --port 0 --read-write
    """
    try:
        from usance.fava import read_only, server  # noqa: PLC0415 -- Fava is an extra
    except ImportError as error:
        raise click.ClickException(
            f"Fava is not installed ({error}). Install it with: pip install 'usance[fava]'"
        ) from error
    try:
        listener = server.listening(host, port)
    except (OSError, ValueError) as error:
        why = str(error).rpartition("] ")[2].rstrip(").")
        raise click.ClickException(
            f"Cannot listen on {host}, port {port}: {why}. "
            "Name another port with --port (0 takes a free one), or another address with --host."
        ) from error
    if not server.is_loopback(host):
        verbs = "read and change" if read_write else "read"
        click.echo(
            f"Warning: anyone who reaches {host} can {verbs} this ledger; there is no password.",
            err=True,
        )
    try:
        app = server.application(Path(path).absolute(), read_write=read_write)
        port = listener.bind_addr[1]
        listener.wsgi_app = server.Guard(app, host, port, read_write=read_write)
        address = server.address(host, port)
        click.echo(f"{path} is at {address} until you press Ctrl-C.")
        if not no_browser and _has_desktop():
            click.launch(address)
        with nullcontext() if read_write else read_only.nothing_written():
            listener.serve()
    except KeyboardInterrupt:
        pass
    except (Exception, SystemExit) as error:  # plugins and extensions of the ledger run here too
        raise click.ClickException(f"Fava cannot show {path}: {error}") from error
    finally:
        listener.stop()


def _has_desktop() -> bool:
    """Say whether a browser has a screen; without one, xdg-open tries eight and complains."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)
