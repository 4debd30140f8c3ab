"""The page of faults, docs/faults.md, made by trying each of them.

    python tests/faults_page.py      as root: only root can try whether owners are kept

Each fault strikes a run of `usance accrue` that closes three days and so ends one month and begins
another, or of `usance compact`, there and back; the books found afterwards are compared with those
before and after.
"""

import datetime
import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from click.testing import Result
from folders import FIRST, LEDGER, Folder, rates
from operations import Killed, Operations, Power, Strike, counted, fail, fill, kill, tear

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"

SMALL = LEDGER.replace("2024-12-30", "2025-01-30").replace("2025-01-10", "2025-01-30")
"""Two days of January and two of February."""

BEFORE, AFTER = "the books before", "the books after"
SAME = "ends in the same bytes"


class Books:
    """A ledger with its first day closed; runs that are struck close the rest.

    words          of the command that is struck
    before, after  files of the folder
    operations     of a run that nothing strikes, by name
    """

    words: tuple[str, ...] = ("accrue",)

    def __init__(self, path: Path, template: Folder, first: str, chunk: int = 1 << 30) -> None:
        self.path = path
        self.template = template
        self.chunk = chunk
        self.copies = 0
        self.prepare(first)
        self.before = template.files()
        self.virtual = sorted(template.books())
        whole = self.fresh()
        with counted(Operations(chunk=chunk)) as seen:
            done = whole.usance(*self.words)
        assert done.exit_code == 0, done.output
        self.operations = seen.seen
        self.after = whole.files()
        self.sound: set[tuple[tuple[str, bytes], ...]] = set()

    def prepare(self, first: str) -> None:
        """Bring the ledger to where the runs begin."""
        self.template.accrue("--through", first)

    @classmethod
    def large(cls, path: Path) -> "Books":
        """Return four months, of which ten days are closed, written in parts of 4096 bytes."""
        last = datetime.date(2025, 3, 31)
        ledger = LEDGER.replace('"accrue-through" 2025-02-02', f'"accrue-through" {last}')
        template = Folder.made(path / "large", ledger, rates(FIRST, last))
        return cls(path, template, "2025-01-08", 4096)

    @classmethod
    def small(cls, path: Path) -> "Books":
        return cls(path, Folder.made(path / "small", SMALL), "2025-01-30")

    def fresh(self) -> Folder:
        """Return a copy of the books before, with the modes of the files."""
        self.copies += 1
        return Folder(shutil.copytree(self.template.path, self.path / str(self.copies)))

    def found(self, folder: Folder) -> str:
        """Name the books that a run left: those before or after, or those that end with a month."""
        held = folder.posted()
        months = sorted(name for name in self.after if re.search(r"\d{4}-\d\d\.beancount", name))
        written = [name for name in months if held.get(name) == self.after[name]]
        assert written == months[: len(written)]
        for name in months[len(written) :]:
            assert held.get(name) == self.before.get(name), name
        for name in (month.replace(".beancount", ".inputs") for month in months):
            assert held.get(name) in (self.before.get(name), self.after[name]), name
        if len(written) in (0, len(months)):
            return AFTER if written else BEFORE
        return f"those of a run that ended with {Path(written[-1]).stem}"

    def mend(self, folder: Folder) -> None:
        """Load the books that a run left, without error, and let the next run end them."""
        held = tuple(sorted(folder.files().items()))
        if held in self.sound:
            return
        assert sorted(folder.books()) == self.virtual
        for command in ("check", "verify"):
            done = folder.usance(command)
            # Between a month's .inputs and its text, the run looks as if the month were removed.
            assert done.exit_code == 0 or "the run that was to write them" in done.output
        folder.accrue()
        assert folder.files() == self.after
        self.sound.add(held)


class Compacting(Books):
    """A ledger with two months closed; runs that are struck compact the first."""

    words: tuple[str, ...] = ("compact", "--keep", "1")

    def prepare(self, first: str) -> None:
        del first
        self.template.accrue()

    def found(self, folder: Folder) -> str:
        """Name the books that a run left: the month is its days, or their sums beside its days."""
        held, month = folder.posted(), "posted/2025-01.beancount"
        days = {**self.before, **self.after}["posted/daily/2025-01.beancount"]
        other = [name for name in held if name not in (month, "posted/daily/2025-01.beancount")]
        assert all(held[name] == self.before[name] for name in other if "/." not in name)
        if held[month] != days:
            assert held["posted/daily/2025-01.beancount"] == days
        return AFTER if held[month] == self.after[month] else BEFORE

    def mend(self, folder: Folder) -> None:
        """Load the books that a run left, without error, and let the next run end them."""
        held = tuple(sorted(folder.files().items()))
        if held in self.sound:
            return
        for command in (("check",), ("verify",), self.words):
            done = folder.usance(*command)
            assert done.exit_code == 0, done.output
        assert folder.files() == self.after
        self.sound.add(held)


class Undoing(Compacting):
    """A ledger with a compacted month; runs that are struck bring its days back."""

    words = ("compact", "--undo")

    def prepare(self, first: str) -> None:
        super().prepare(first)
        assert self.template.usance(*Compacting.words).exit_code == 0


@dataclass
class Outcome:
    """What came of a fault, each time that it was tried."""

    found: Counter[str] = field(default_factory=Counter)
    drafts: int = 0

    def note(self, books: Books, folder: Folder) -> None:
        """Take note of the books that a run left, then let the next one end them."""
        self.found[books.found(folder)] += 1
        self.drafts += any(name.startswith("posted/.") for name in folder.files())
        books.mend(folder)


@dataclass(frozen=True)
class Fault:
    """A fault, and how it is tried."""

    name: str
    where: str
    tried: Callable[[Books], Outcome]
    next: str = SAME

    def row(self, outcome: Outcome) -> str:
        """Return the row of the table."""
        several = len(outcome.found) > 1
        found = [f"{name} ({times})" if several else name for name, times in outcome.found.items()]
        if outcome.drafts:
            found.append(f"beside them a draft ({outcome.drafts})")
        times = outcome.found.total()
        return f"| {self.name} | {self.where} | {times} | {', '.join(found)} | {self.next} |\n"


def told(done: Result, why: str, where: str = r"posted(/\S+)?: ") -> None:
    """Check that a run failed with one clear message, which names the file."""
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(f"Error: {where}{re.escape(why)}\n", done.stderr), done.stderr


# Struck at each operation


def each(
    strike: Strike, *names: str, fault: int = 0, kind: Callable[..., Operations] = Operations
) -> Callable[[Books], Outcome]:
    """Strike once at each operation of these names, or at each of all.

    fault  that the operation fails with, 0 if the run is killed
    """

    def tried(books: Books) -> Outcome:
        outcome = Outcome()
        for at, name in enumerate(books.operations, 1):
            if names and name not in names:
                continue
            folder = books.fresh()
            with counted(kind(at, strike, books.chunk)):
                if not fault:
                    with pytest.raises(Killed):
                        folder.usance(*books.words)
                else:
                    done = folder.usance(*books.words)
                    lock = name == "flock" or at in (1, len(books.operations))
                    told(done, os.strerror(fault), *(["(posted: )?"] if lock else []))
            outcome.note(books, folder)
            shutil.rmtree(folder.path)
        return outcome

    return tried


def undone(at: int, strike: Strike, chunk: int) -> Power:
    return Power(at, strike, chunk, undo=True)


EACH = (
    Fault("the process is killed", "before each file operation", each(kill)),
    Fault("the process is killed", "in the middle of each write", each(tear, "write")),
    Fault(
        "the power fails: bytes without fsync are gone",
        "at each file operation",
        each(kill, kind=Power),
    ),
    Fault(
        "the power fails: a rename without fsync is gone too",
        "at each file operation",
        each(kill, kind=undone),
    ),
    Fault(
        "the disk is full (ENOSPC)",
        "each creation, write, fsync and rename",
        each(
            fail(errno.ENOSPC),
            *("create", "write", "fsync", "fsync of the folder", "replace"),
            fault=errno.ENOSPC,
        ),
    ),
    Fault(
        "the disk is full (ENOSPC)",
        "in the middle of each write",
        each(fill, "write", fault=errno.ENOSPC),
    ),
    Fault(
        "an I/O error (EIO)",
        "each fsync of a file",
        each(fail(errno.EIO), "fsync", fault=errno.EIO),
    ),
    Fault(
        "an I/O error (EIO)",
        "each fsync of the folder",
        each(fail(errno.EIO), "fsync of the folder", fault=errno.EIO),
    ),
    Fault("an I/O error (EIO)", "each file operation", each(fail(errno.EIO), fault=errno.EIO)),
    Fault(
        "the file system turns read-only (EROFS)",
        "each creation and rename",
        each(fail(errno.EROFS), "create", "replace", fault=errno.EROFS),
    ),
)


# Of the whole run


def short_writes(books: Books) -> Outcome:
    outcome = Outcome()
    for chunk in (1, 7, 1000):
        folder = books.fresh()
        with counted(Operations(chunk=chunk)):
            folder.accrue()
        outcome.note(books, folder)
    return outcome


def quota(books: Books) -> Outcome:
    """A limit of the kernel: it takes part of a write, then none."""
    outcome = Outcome()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(map(len, books.after.values()))
    for limit in range(0, largest, largest // 20):
        folder = books.fresh()
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            done = folder.usance("accrue")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        told(done, os.strerror(errno.EFBIG))
        outcome.note(books, folder)
    return outcome


@contextmanager
def somebody() -> Iterator[None]:
    """Be a user whom permissions bind, which they do not root."""
    root = os.geteuid() == 0
    if root:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


def read_only(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        shared = Folder(shutil.copytree(folder.path, Path(open_to_all) / "books"))
        posted = shared.path / "posted"
        posted.chmod(0o555)
        shared.accrue("--dry-run")
        with somebody():
            done = shared.usance("accrue")
        told(done, os.strerror(errno.EACCES))
        posted.chmod(0o755)
        outcome.note(books, shared)
    return outcome


def modes(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    given = {"beancount": 0o640, "inputs": 0o600}
    for kind, mode in given.items():
        (folder.path / f"posted/2025-01.{kind}").chmod(mode)
    folder.accrue()
    for kind, mode in given.items():
        assert (folder.path / f"posted/2025-01.{kind}").stat().st_mode & 0o7777 == mode
    outcome.note(books, folder)
    return outcome


def owners(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    months = [folder.path / f"posted/2025-01.{kind}" for kind in ("beancount", "inputs")]
    for path in months:
        os.chown(path, 12345, 54321)
    folder.accrue()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in months} == {(12345, 54321)}
    outcome.note(books, folder)
    return outcome


def not_ours(books: Books) -> Outcome:
    """A run may write the folder, but may not give its file to whom the old one belonged."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        shared = Folder(shutil.copytree(books.fresh().path, Path(open_to_all) / "books"))
        posted = shared.path / "posted"
        posted.chmod(0o777)
        (posted / "2025-01.inputs").chmod(0o644)
        shared.accrue("--dry-run")
        with somebody():
            shared.accrue()
            assert (posted / "2025-01.inputs").stat().st_uid == os.geteuid()
        outcome.note(books, shared)
    return outcome


WHOLE = (
    Fault("short writes", "each write takes 1, 7 or 1000 bytes", short_writes),
    Fault(
        "files may not grow beyond a limit (EFBIG)", "limits from 0 bytes to a whole month", quota
    ),
    Fault("the folder is read-only (EACCES)", "another user's run", read_only),
    Fault("a month has another mode", "a run keeps it", modes),
)
BY_ROOT = (
    Fault("a month has another owner and group", "a run of root keeps them", owners),
    Fault(
        "a month has another owner",
        "a run that may not give files away becomes the owner",
        not_ours,
    ),
)


# Processes


def drawing() -> Random:
    """Return the same numbers each time."""
    return Random(7)  # noqa: S311, no secret


PACED = """
import os, signal, sys, time
from operations import Killed, Operations, counted
from usance.cli import main

at, pace = int(sys.argv.pop()), float(sys.argv.pop())

class Paced(Operations):
    def note(self, call):
        if len(self.seen) == 1:
            print("ready", file=sys.stderr, flush=True)
        time.sleep(pace)

with counted(Paced(at, lambda call: os.kill(os.getpid(), signal.SIGKILL))):
    main()
"""


def started(folder: Folder, *options: str, pace: float = 0, at: int = 0) -> subprocess.Popen[str]:
    """Start a run in a process of its own: seconds before each operation, and its last one."""
    return subprocess.Popen(
        [sys.executable, "-c", PACED, "accrue", folder.ledger, *options, str(pace), str(at)],
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(run: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until a run comes to its first operation."""
    assert run.stderr is not None
    assert run.stderr.readline() == "ready\n"
    return run


def ended(run: subprocess.Popen[str]) -> int:
    run.communicate(timeout=60)
    return run.returncode


def kills_itself(books: Books, times: int = 6) -> Outcome:
    outcome = Outcome()
    for at in sorted(drawing().sample(range(1, len(books.operations) + 1), times)):
        folder = books.fresh()
        assert ended(started(folder, at=at)) == -signal.SIGKILL
        outcome.note(books, folder)
    return outcome


ANY = "the books before or after, or those of a run that ended at a month"


def killed_from_outside(books: Books, times: int = 6) -> Outcome:
    """The clock decides at which operation it strikes, so outcomes are not counted."""
    outcome, draw, pace = Outcome(), drawing(), 0.003
    for _ in range(times):
        folder = books.fresh()
        run = ready(started(folder, pace=pace))
        time.sleep(draw.uniform(0, len(books.operations) * pace))
        run.kill()
        assert ended(run) in (0, -signal.SIGKILL)
        outcome.note(books, folder)
    return Outcome(Counter({ANY: times}))


def stale_lock(books: Books) -> Outcome:
    """The kernel releases the lock of a process that is gone: there is no file to be left."""
    outcome = Outcome()
    folder = books.fresh()
    run = ready(started(folder, at=3))
    assert ended(run) == -signal.SIGKILL
    assert folder.accrue().stderr == ""
    outcome.note(books, folder)
    return outcome


def eight(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    days = ["2025-01-30", "2025-01-31", "2025-02-01", "2025-02-02"] * 2
    runs = [started(folder, "--through", day) for day in days]
    assert [ended(run) for run in runs] == [0] * 8
    outcome.note(books, folder)
    return outcome


def eight_of_which_four_die(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    draw = drawing()
    runs = [
        started(folder, at=draw.randint(3, len(books.operations)) if number % 2 else 0)
        for number in range(8)
    ]
    assert {ended(run) for run in runs} <= {0, -signal.SIGKILL}
    outcome.note(books, folder)
    return outcome


PROCESSES = (
    Fault("a process kills itself (SIGKILL)", "at 6 drawn operations", kills_itself),
    Fault("a process is killed (SIGKILL)", "at 6 drawn moments", killed_from_outside),
    Fault("a process dies with the lock", "the next run does not wait", stale_lock),
    Fault("eight runs at once", "to four different days", eight),
    Fault(
        "eight runs at once, four are to be killed", "at drawn operations", eight_of_which_four_die
    ),
)


# What lies in the way

OUTSIDE = "a file outside the folder\n"


def a_file(path: Path, _outside: Path) -> None:
    path.write_text("what a run left that was killed\n" * 1000)
    path.chmod(0o400)


def a_folder(path: Path, _outside: Path) -> None:
    path.mkdir()


def a_pipe(path: Path, _outside: Path) -> None:
    os.mkfifo(path)


def a_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def a_hard_link(path: Path, outside: Path) -> None:
    path.hardlink_to(outside)


def a_link_to_nothing(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "nothing")


def a_link_to_a_device(path: Path, _outside: Path) -> None:
    path.symlink_to("/dev/zero")


Plant = Callable[[Path, Path], None]

MONTHS = [f"2025-0{month}.{kind}" for month in (1, 2) for kind in ("inputs", "beancount")]
DRAFTS = [f".{name}.new" for name in MONTHS]
NEW_MONTH = MONTHS[2:]


def in_the_way(plant: Plant, names: list[str], refused: str = "") -> Callable[[Books], Outcome]:
    """Plant something at each of some names, and run; what lies outside is left as it is.

    refused  the run's message, if it does not simply go on
    """

    def tried(books: Books) -> Outcome:
        outcome = Outcome()
        for name in names:
            folder = books.fresh()
            outside = folder.path / "outside"
            outside.write_text(OUTSIDE)
            path = folder.path / "posted" / name
            plant(path, outside)
            if refused:
                told(folder.usance("accrue"), refused)
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            else:
                folder.accrue()
                assert not os.path.lexists(path)
            assert outside.read_text() == OUTSIDE
            outside.unlink()
            outcome.note(books, folder)
        return outcome

    return tried


def posted_leads_out(books: Books) -> Outcome:
    outcome = Outcome()
    folder = books.fresh()
    posted, outside = folder.path / "posted", folder.path.with_name("outside")
    posted.rename(outside)
    posted.symlink_to(outside)
    before = {path.name: path.read_bytes() for path in outside.iterdir()}
    done = folder.usance("accrue")
    assert (done.exit_code, "link that leads out" in done.stderr) == (1, True)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == before
    posted.unlink()
    outside.rename(posted)
    outcome.note(books, folder)
    return outcome


NOT_PLAIN = "Not a plain file; move it away"
MOVED = f"refuses until you move it away, then {SAME}"

IN_THE_WAY = (
    *(
        Fault(
            f"a draft lies there already: {what}",
            "at each of four names",
            in_the_way(plant, DRAFTS),
        )
        for what, plant in (
            ("one of a killed run, longer and read-only", a_file),
            ("a link to a file outside", a_link),
            ("a second name of a file outside (hard link)", a_hard_link),
            ("a pipe that nobody reads", a_pipe),
        )
    ),
    Fault(
        "a draft lies there already: a folder",
        "at each of two names",
        in_the_way(a_folder, DRAFTS[:1] + DRAFTS[2:3], os.strerror(errno.EISDIR)),
        MOVED,
    ),
    *(
        Fault(
            f"{what} lies in the place of a new month",
            "the month, and its .inputs",
            in_the_way(plant, NEW_MONTH, NOT_PLAIN),
            MOVED,
        )
        for what, plant in (
            ("a folder", a_folder),
            ("a pipe", a_pipe),
            ("a link to a file outside", a_link),
            ("a link to nothing", a_link_to_nothing),
            ("a link to a device without end", a_link_to_a_device),
        )
    ),
    Fault(
        "`posted` is a link that leads out of the ledger's folder",
        "nothing is written there",
        posted_leads_out,
        MOVED,
    ),
)


# The page

FAULTS = (*EACH, *WHOLE, *BY_ROOT, *PROCESSES, *IN_THE_WAY)

INTRODUCTION = """\
# Faults

The state of closed days after a fault has struck a run of `usance accrue`. Each fault below was
tried on a ledger with one closed day and three days to close, which end one month and begin
another. The tests try the faults again, and make this page.

Every time the ledger loads without an error, `usance check` and `usance verify` pass, and nothing
ever reads a draft (`posted/.2025-01.beancount.new`). A run that fails says why in one line and
exits 1.
"""

HEAD = """
| fault | how it is tried | times | found afterwards | the next run |
|---|---|---|---|---|
"""

COMPACT = """
## Compacting

The same of `usance compact --keep 1` on a ledger with two closed months, of which it compacts the
first.
"""

UNDO = """
And of `usance compact --undo`, which brings the days of that month back.
"""

PARTS = ((INTRODUCTION, Books, FAULTS), (COMPACT, Compacting, EACH), (UNDO, Undoing, EACH))
"""The parts of the page: what stands above a table, the books, and the faults that are tried."""


def rows(books: Books, faults: Iterable[Fault]) -> str:
    return "".join(fault.row(fault.tried(books)) for fault in faults)


def page() -> str:
    """Return the whole page."""
    with tempfile.TemporaryDirectory() as path:
        return "".join(
            above + HEAD + rows(kind.small(Path(path, kind.__name__)), faults)
            for above, kind, faults in PARTS
        )


if __name__ == "__main__":
    PAGE.write_text(page())
