"""`usance daily`: fetch, import, accrue, verify and reconcile, in a row."""

import datetime
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click

from usance.close.changes import Changes, changes
from usance.close.days import last_day
from usance.close.folder import edited, folder_of
from usance.close.posting import Posting, Request
from usance.commands import accrue, fetch, import_, reconcile, verify
from usance.commands.fetch import with_key_file, with_url
from usance.commands.messages import located, placed, refuse, show
from usance.commands.options import DAYS, last_of, told, with_ledger, with_lines, yesterday
from usance.commands.tables import as_json, counted
from usance.feeding import fetching, importing, reconciling
from usance.feeding.downloads import IMPORTED, RATES, RefusedError
from usance.feeding.imported_text import is_as_written
from usance.feeding.pacing import FetchError
from usance.ledger.disk import Disk
from usance.ledger.errors import UsanceChange
from usance.ledger.load import Ledger, load
from usance.model.hours import Day, day_of, iso


class Outcome(NamedTuple):
    """What a step came to.

    answer  of the command itself, as JSON has it; None if it gives none
    line    the same in a few words
    """

    ok: bool
    answer: dict[str, Any] | None
    line: str


@click.command(short_help="Fetch, import, accrue, verify and reconcile, in a row")
@with_ledger
@click.option(
    "--through",
    type=last_of,
    metavar="DATE",
    show_default="yesterday (UTC)",
    help=f"Last day to close: {DAYS}",
)
@with_key_file
@with_url
@with_lines
def daily(
    path: str, through: datetime.date | None, key_file: Path | None, url: str | None, form: str
) -> None:
    """Bring the books up to date: fetch, import, accrue --through yesterday, verify, reconcile.

    The first step that fails ends the run, which then exits 1. What was done before stays, and the
    next run goes on there. A second run changes nothing but the newest snapshot.

    Rows that come late change closed days; accrue then posts the difference on the first open day.
    Closed days that a person changed stop the run before it fetches.

    \b
    Examples:
      usance daily books/main.beancount
      usance daily books/main.beancount --keys ~/.config/usance/keys.toml --format json
    """
    run = _Run(path, day_of(through or yesterday()), key_file, url)
    done: dict[str, Outcome] = {}
    ok = _may_begin(run)
    for name, step in STEPS.items() if ok else ():
        outcome = done[name] = _outcome(run, step)
        if form == "table":
            click.echo(f"{name:<10} {outcome.line}")
        if not outcome.ok:
            ok = False
            break
    if form == "json":
        steps = [
            {"step": name, "ok": outcome.ok, "answer": outcome.answer}
            for name, outcome in done.items()
        ]
        click.echo(as_json({"ok": ok, "steps": steps}), nl=False)
    sys.exit(0 if ok else 1)


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run was asked for.

    through  last day to close
    """

    path: str
    through: Day
    key_file: Path | None
    url: str | None


def _outcome(run: _Run, step: Callable[[_Run], Outcome]) -> Outcome:
    """Return what a step came to; of one that is refused, print why."""
    try:
        with told(run.path):
            return step(run)
    except click.UsageError:
        raise
    except click.ClickException as error:
        error.show()
        return Outcome(ok=False, answer=None, line="refused, as standard error says")


def _may_begin(run: _Run) -> bool:
    """Tell whether the closed days are as sealed, or else as late rows left them."""

    def checked(run: _Run) -> Outcome:
        folder, missing = folder_of(Path(run.path).absolute())
        faults = missing or edited(folder, Disk())
        if faults or (faults := _changes(load(run.path)).by_hand):
            refuse(map(placed, faults))
        return Outcome(ok=True, answer=None, line="")

    return _outcome(run, checked).ok


def _changes(ledger: Ledger) -> Changes:
    """Return what has changed in closed days."""
    venues = {feed.venue for feed in ledger.read().feeds.values()}
    folder = Path(ledger.folder)

    def is_fed(file: str) -> bool:
        path = Path(file)
        if path.parent == folder / RATES:
            return path.name.partition("-")[0] in venues
        # A person who edits imported text cannot know its digest.
        return path.parent == folder / IMPORTED and is_as_written(Disk().read(path))

    return changes(ledger, is_fed)


def _fetch(run: _Run) -> Outcome:
    try:
        answer = fetch.answered(run.path, fetching.Request((), run.key_file, run.url))
    except (RefusedError, FetchError) as error:
        raise click.ClickException(str(error)) from None
    for note in answer["notes"]:
        click.echo(f"note: {note}.", err=True)
    new = sum(entry["new"] for entry in answer["fetched"])
    names = ", ".join(dict.fromkeys(entry["sub_account"] for entry in answer["fetched"]))
    taken = counted(len(answer["snapshots"]), "snapshot")
    line = f"{counted(new, 'new row')} of {names or 'no account'}; {taken}."
    return Outcome(ok=True, answer=answer, line=line)


def _import(run: _Run) -> Outcome:
    try:
        answer = import_.answered(run.path, importing.Request())
    except RefusedError as error:
        raise click.ClickException(f"{error}\nNothing was written.") from None
    for finding in answer["findings"]:
        click.echo(f"finding: {finding}.", err=True)
    rows = counted(sum(answer["rows"].values()), "row")
    files = counted(len(answer["files"]), "file")
    return Outcome(ok=True, answer=answer, line=f"{rows}; {files} changed.")


def _accrue(run: _Run) -> Outcome:
    """Close days; where rows came late, post the difference, once a day is there to hold it."""
    ledger = load(run.path)
    late = _changes(ledger).days
    last = last_day(ledger.read())
    said = f"Rows came late for {', '.join(late)}. " if late else ""
    if late and last is not None and last >= run.through:
        waiting = Posting(last=iso(last))
        line = f"{said}Waiting until {iso(Day(last + 1))} is over, to post the difference on it."
        return Outcome(ok=True, answer=accrue.answer(run.path, waiting), line=line)
    request = Request(run.through, day_of(yesterday()), correct=bool(late), stale_ok=False)
    posting = accrue.closed(run.path, request)
    accrue.show_notes(posting)
    accrue.show_differences(posting, err=True)
    ok = not posting.problems
    line = accrue.line_of(posting)
    if not ok:
        line += f" {accrue.OLD_FIGURES}"
    return Outcome(ok, accrue.answer(run.path, posting), said + line)


def _verify(run: _Run) -> Outcome:
    folder, _ = folder_of(Path(run.path).absolute())
    verified, removed = verify.verified_folder(folder, None)
    verify.warn(verified, removed)
    ok = verified.broken is None and not removed
    line = " ".join(verify.lines(run.path, verified))
    return Outcome(ok, verify.answer(run.path, verified, whole=not removed), line)


def _reconcile(run: _Run) -> Outcome:
    ledger = load(run.path)
    # A change that waits for its correction is in the books already, on the first open day.
    errors = [error for error in ledger.errors if not isinstance(error, UsanceChange)]
    if errors:
        show(map(located, errors), sys.stderr)
        raise click.ClickException("A ledger with errors is not reconciled.")
    feeds = ledger.read().feeds.values()
    if feeds and not reconciling.have_snapshots(feeds):
        venues = ", ".join(sorted({feed.venue for feed in feeds}))
        answer = reconciling.answer([])
        return Outcome(ok=True, answer=answer, line=f"Snapshots of {venues} are not read.")
    try:
        found = reconcile.held_against(ledger)
    except click.UsageError as error:
        # Nobody asked for a moment: that the books end before the snapshot is no wrong usage.
        raise click.ClickException(error.format_message()) from error
    for one in found:
        if not one.is_ok:
            click.echo(reconcile.shown(one), err=True)
        for note in one.notes:
            click.echo(f"{one.feed.sub_account}: {note}", err=True)
    ok = all(one.is_ok for one in found)
    return Outcome(ok, reconciling.answer(found), f"{reconcile.summary(found)}.")


STEPS: dict[str, Callable[[_Run], Outcome]] = {
    "fetch": _fetch,
    "import": _import,
    "accrue": _accrue,
    "verify": _verify,
    "reconcile": _reconcile,
}
