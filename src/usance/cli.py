"""The command line: the group `usance` and its commands."""

import io
import sys
from importlib import import_module

import click

from usance import __version__
from usance.commands.options import LEDGERS

COMMANDS = {
    "init": "init.init",
    "demo": "demo.demo",
    "check": "check.check",
    "status": "status.status",
    "fava": "fava.fava_",
    "statement": "statement.statement",
    "pnl": "pnl.pnl",
    "lending": "lending.lending",
    "yield": "yields.yield_",
    "margin": "margin.margin",
    "stress": "stress.stress",
    "efficiency": "efficiency.efficiency",
    "accounts": "accounts.accounts",
    "explain": "explain.explain",
    "accrue": "accrue.accrue",
    "verify": "verify.verify",
    "reopen": "reopen.reopen",
    "compact": "compact.compact",
    "fetch": "fetch.fetch",
    "import": "import_.import_",
    "reconcile": "reconcile.reconcile",
    "daily": "daily.daily",
}
"""Each command's module in `usance.commands` and its function there, in the order in which a person
meets them. A command line imports the one that it runs; help and completion import all."""


class Commands(click.Group):
    """The commands of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"usance.commands.{module}"), function)
        assert isinstance(found, click.Command)
        return found

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
