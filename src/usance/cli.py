"""The command line: the group `usance` and its commands."""

import io
import sys

import click

from usance import __version__
from usance.commands.accounts import accounts
from usance.commands.accrue import accrue
from usance.commands.check import check
from usance.commands.daily import daily
from usance.commands.demo import demo
from usance.commands.efficiency import efficiency
from usance.commands.explain import explain
from usance.commands.fava import fava_
from usance.commands.fetch import fetch
from usance.commands.import_ import import_
from usance.commands.init import init
from usance.commands.lending import lending
from usance.commands.margin import margin
from usance.commands.options import LEDGERS
from usance.commands.pnl import pnl
from usance.commands.reconcile import reconcile
from usance.commands.reopen import reopen
from usance.commands.statement import statement
from usance.commands.status import status
from usance.commands.stress import stress
from usance.commands.verify import verify
from usance.commands.yields import yield_


class Commands(click.Group):
    """The commands, in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they were added."""
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a command line; of a file alone, say what is missing."""
        if args[0].endswith(LEDGERS):
            ctx.fail(
                f"{args[0]!r} is no command. Write a command before it, as in: "
                f"usance status {args[0]}"
            )
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="usance")
def main() -> None:
    """Keep the books of a global margin account in Beancount.

    LEDGER is a Beancount file with the line  plugin "usance.plugins". If you leave LEDGER out,
    USANCE_FILE or BEANCOUNT_FILE names the file, or it is main.beancount in the current folder.

    \b
    Examples:
      usance init books
      usance status books/main.beancount
      usance fava books/main.beancount
    """
    # Standard error never fails at a character; standard output does, in an encoding without it.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


for command in (
    init,
    demo,
    check,
    status,
    fava_,
    statement,
    pnl,
    lending,
    yield_,
    margin,
    stress,
    efficiency,
    accounts,
    explain,
    accrue,
    verify,
    reopen,
    fetch,
    import_,
    reconcile,
    daily,
):
    main.add_command(command)
