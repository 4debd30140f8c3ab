"""Options that several commands share, and how their values are read."""

import contextlib
import datetime
import re
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from usance.ledger import plugin_lines
from usance.ledger.load import BrokenPluginError, broken_plugin
from usance.ledger.questions import QuestionError
from usance.model.hours import date_of, day_of, month_end

DAYS = "a date, a month, today or yesterday (UTC)."
"""What stands for a day, in the help of an option."""

MAIN = "main.beancount"
"""The ledger of a folder, if the command line names none."""

LEDGERS = (".beancount", ".bean")
"""How the name of a ledger ends, if it stands before other files."""


def first_of(text: str) -> datetime.date:
    """Return a date, today or yesterday (UTC), or the first day of a month `YYYY-MM`."""
    return _when(text, last=False)


def last_of(text: str) -> datetime.date:
    """Return a date, today or yesterday (UTC), or the last day of a month `YYYY-MM`."""
    return _when(text, last=True)


def _when(text: str, *, last: bool) -> datetime.date:
    if text in ("today", "yesterday"):
        return yesterday() + datetime.timedelta(days=text == "today")
    is_month = re.fullmatch(r"\d{4}-\d\d", text, re.ASCII)
    try:
        if is_month or re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            day = datetime.date.fromisoformat(f"{text}-01" if is_month else text)
            return date_of(month_end(day_of(day))) if is_month and last else day
    except ValueError:
        pass
    raise click.BadParameter(
        f"{text!r} is not a date. Write it as 2025-05-31, or 2025-05 for a month, today, yesterday."
    )


def yesterday() -> datetime.date:
    """Return the last day that is over in UTC: the one place where a clock is read."""
    return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)


def digest(text: str) -> str:
    """Return the digest of an option."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    raise click.BadParameter(
        f"{text!r} is not a digest. Write the 64 characters of 0-9 and a-f that verify prints."
    )


class LedgerFile(click.Path):
    """The path of a ledger: a file that is there."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True)

    def get_missing_message(
        self, param: click.Parameter, ctx: click.Context | None = None
    ) -> str | None:
        """Say what names a ledger that was left out."""
        del param, ctx
        return (
            f"Write the path of a ledger, go to a folder that holds {MAIN}, or let the variable "
            "USANCE_FILE name it."
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; of a folder, suggest the ledger in it."""
        folder = Path(value)
        if folder.is_dir():
            ledger = folder / MAIN
            hint = f"Write {ledger}" if ledger.is_file() else "Write the path of a ledger in it"
            self.fail(f"{str(value)!r} is a folder. {hint}.", param, ctx)
        return super().convert(value, param, ctx)


class LedgerArgument(click.Argument):
    """LEDGER: a path, or that of a variable, or the ledger of the current folder."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return what names a ledger that was left out, or None."""
        return super().resolve_envvar_value(ctx) or (MAIN if Path(MAIN).is_file() else None)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the name of the argument for a message."""
        del ctx
        return "'LEDGER'"


class NewFolder(click.Path):
    """The path of a folder to write into, there or not."""

    def __init__(self) -> None:
        super().__init__(file_okay=False)

    def get_missing_message(
        self, param: click.Parameter, ctx: click.Context | None = None
    ) -> str | None:
        """Say what to write."""
        del param
        return f"Name a new folder, as in: {ctx.command_path if ctx else 'usance init'} books"


Command = Callable[..., None]


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Turn an error of the disk or of a plugin into one of click, which is one line."""
    try:
        yield
    except BrokenPipeError:
        raise  # a reader such as `head` has enough; click ends quietly
    except BrokenPluginError as error:
        raise click.ClickException(str(error)) from error
    except QuestionError as error:
        option = f"--{error.about} " if error.about else ""
        raise click.UsageError(f"{option}{error.why}") from error
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{name}{error.strerror or error}") from error
    except (click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except Exception as error:
        # A plugin may hand on what is no directive. Without one, it is a fault of ours.
        if not plugin_lines.others(path):
            raise
        raise click.ClickException(broken_plugin(path, error)) from error


def with_ledger(command: Command) -> Command:
    """Give a command its LEDGER, and print an error of the disk or of a plugin as one line."""

    @wraps(command)
    def guarded(**values: Any) -> None:
        with told(values["path"]):
            command(**values)

    argument = click.argument(
        "path",
        cls=LedgerArgument,
        metavar="[LEDGER]",
        type=LedgerFile(),
        envvar=["USANCE_FILE", "BEANCOUNT_FILE"],
    )
    return argument(guarded)


class AfterLedger(click.Command):
    """A command with arguments after LEDGER, which may be left out all the same."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the ledger that the environment or the folder names before what is no ledger."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        path, last = (param for param in self.params if isinstance(param, click.Argument))
        first, others = given.get(path.name), given.get(last.name)
        named = path.resolve_envvar_value(ctx)
        is_other = isinstance(first, str) and not first.endswith(LEDGERS)
        if named and is_other and (last.nargs != 1 or not isinstance(others, str)):
            args = [named, *args]
        return super().parse_args(ctx, args)


with_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="A table for people; JSON or CSV for programs.",
)


def with_list(*names: str) -> Callable[[Command], Command]:
    """Give a command the choice of the list that its CSV holds, by the names of JSON."""
    option = click.option(
        "--list",
        "listed",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="With --format csv: which list of the JSON to write as a table.",
    )

    def decorated(command: Command) -> Command:
        @wraps(command)
        def guarded(**values: Any) -> None:
            asked = click.get_current_context().get_parameter_source("listed")
            if asked is ParameterSource.COMMANDLINE and values["form"] != "csv":
                raise click.UsageError(
                    "--list names what --format csv writes. Add --format csv, or leave --list out."
                )
            command(**values)

        return option(guarded)

    return decorated


with_lines = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Lines for people, JSON for programs.",
)


with_at = click.option(
    "--at",
    type=last_of,
    metavar="DATE",
    show_default="the last day of the books",
    help=f"Show the end of this day: {DAYS}",
)


def with_period(command: Command) -> Command:
    """Give a command its period, --from and --to."""
    first = click.option(
        "--from",
        "begin",
        type=first_of,
        metavar="DATE",
        show_default="the first day of the books",
        help=f"First day: {DAYS}",
    )
    last = click.option(
        "--to",
        "end",
        type=last_of,
        metavar="DATE",
        show_default="the last day of the books",
        help=f"Last day: {DAYS}",
    )
    return first(last(command))


with_name = click.option(
    "--sub-account",
    "name",
    metavar="NAME",
    show_default="all",
    help="Show only this sub-account.",
)
