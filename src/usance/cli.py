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
from usance.commands.pnl import pnl
from usance.commands.reconcile import reconcile
from usance.commands.reopen import reopen
from usance.commands.statement import statement
from usance.commands.status import status
from usance.commands.stress import stress
from usance.commands.verify import verify
from usance.commands.yields import yield_


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="usance")
def main() -> None:
    """Keep the books of a global margin account in Beancount.

    LEDGER is a Beancount file with the line  plugin "usance.plugins". If you leave LEDGER out,
    USANCE_FILE or BEANCOUNT_FILE names the file, or it is main.beancount in the current folder.

    \b
    Examples:
      usance init books
      usance check books/main.beancount
      usance accrue books/main.beancount --through yesterday
    """
    # Standard error never fails at a character; standard output does, in an encoding without it.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


for command in (
    init,
    demo,
    check,
    fetch,
    import_,
    accrue,
    verify,
    reopen,
    explain,
    status,
    statement,
    pnl,
    lending,
    margin,
    stress,
    yield_,
    efficiency,
    accounts,
    reconcile,
    daily,
    fava_,
):
    main.add_command(command)
