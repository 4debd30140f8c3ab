"""The page of errors, docs/errors.md, made from the ledgers in tests/errors.

    python tests/errors_page.py

A ledger is named after the error that it causes; where there are several, two hyphens and the
cause follow. It ends with what makes it wrong, where that is not in it, and what comes out:

    ;; $ usance accrue main.beancount      a command, run in the folder of main.beancount
    ;; errors:                             who tells: a load ("errors"), or a command
    ;; 12: the text                        line (of another file: its name before it) and text
    ;; usance check:                       what this command tells before that, if anything
    ;; posted/2025-05.beancount:22: text
"""

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

from usance.model import problems

ROOT = Path(__file__).parents[2]
LEDGERS = ROOT / "tests" / "errors"
PAGE = ROOT / "docs" / "errors.md"

TOLD_BY = {
    "errors": "",
    "commands": "Reported by each command of `usance`; `bean-check` and Fava print Beancount's own "
    "text.\n\n",
    "usance check": "Reported by `usance check`.\n\n",
    "usance reopen --from 2025-05-01": "Reported by `usance reopen --from 2025-05-01`.\n\n",
    "usance compact --keep 1": "Reported by `usance compact --keep 1`, which goes on.\n\n",
    "usance verify": "Reported by `usance verify` and `usance check`.\n\n",
    "usance accrue": "Reported by `usance accrue`.\n\n",
    "usance accrue --correct": "Reported by `usance accrue --correct`.\n\n",
    "usance accrue --correct --through 2025-05-02": (
        "Reported by `usance accrue --correct --through 2025-05-02`.\n\n"
    ),
    "usance accounts": "Reported by `usance accounts`.\n\n",
    "doubts": "A doubt of `usance check`, which exits 0, and 1 with `--strict`.\n\n",
    "notes": "A note of `usance check`, which exits 0.\n\n",
}
"""Who tells an error, as a ledger says it and as the page does."""

INTRODUCTION = """\
# Errors

Every error text of Usance, each with the shortest ledger that causes it: plain Beancount, which
you can load and try. `bean-check`, Fava and `usance check` print a text as `file:line: message`.
The names in a text are yours: a coin, a sub-account, a date. A text that begins with `finding:` is
a fact about the account. One that begins with `doubt:` is about what is legal and probably not
meant; `usance check` alone prints it. All others are faults of the ledger, and `usance accrue`
writes nothing while there is one.

Each ledger is `main.beancount`. The commands under a ledger were run in its folder before it was
loaded.

"""


FORM = re.compile(
    r"((?:(?!;; ).*\n)*)"
    r"((?:;; \$ .*\n)*)"
    r";; (\D.+):\n((?:;; .+: .*\n)+)"
    r"(?:;; usance check:\n((?:;; .+: .*\n)+))?"
)


@dataclass(frozen=True)
class Case:
    """A ledger that causes an error.

    name      of the error
    ledger    text, without what follows it
    commands  run beside it, one after the other
    told_by   a key of TOLD_BY
    texts     what is told, each as file:line: message
    beside    what `usance check` tells beside it
    """

    path: Path
    name: str
    ledger: str
    commands: list[str]
    told_by: str
    texts: list[str]
    beside: list[str]


def read(path: Path) -> Case:
    """Read a ledger of tests/errors."""
    text = path.read_text()
    match = FORM.fullmatch(text)
    assert match is not None, path
    ledger, commands, told_by, told, beside = match.groups(default="")
    assert told_by in TOLD_BY, path
    return Case(
        path,
        path.stem.partition("--")[0],
        ledger,
        [line.removeprefix(";; $ ") for line in commands.splitlines()],
        told_by,
        _texts(told),
        _texts(beside),
    )


def _texts(told: str) -> list[str]:
    lines = (line.removeprefix(";; ") for line in told.splitlines())
    return [f"main.beancount:{line}" if line[0].isdigit() else line for line in lines]


CASES = [read(path) for path in sorted(LEDGERS.glob("*.beancount"))]


def names() -> dict[str, list[str]]:
    """Return the names of all errors, in the order of the source, by its headings."""
    source = inspect.getsource(problems)
    found: dict[str, list[str]] = {}
    for heading, name in re.findall(r"^(?:# (.+)|@\w+\ndef (\w+)\()", source, re.MULTILINE):
        if heading:
            found[heading] = []
        else:
            found[list(found)[-1]].append(name.replace("_", "-"))
    return found


def shortest(name: str) -> Case:
    """Return the ledger to show for an error."""
    cases = [case for case in CASES if case.name == name]
    return min(cases, key=lambda case: (len(case.commands), len(case.ledger), case.path))


def section(name: str) -> str:
    """Return the part of the page on one error."""
    case = shortest(name)
    told = "".join(f"{text}\n" for text in [*case.beside, *case.texts])
    note = (
        "The first line is of `usance check` and `usance accrue` alone.\n\n" if case.beside else ""
    )
    commands = "".join(f"$ {command}\n" for command in case.commands)
    console = f"```console\n{commands}```\n\n" if commands else ""
    return (
        f"### {name}\n\n{TOLD_BY[case.told_by]}{note}```\n{told}```\n\n"
        f"```beancount\n{case.ledger}```\n\n{console}"
    )


def page() -> str:
    """Return the whole page."""
    headings = names()
    contents = "".join(
        f"* {heading}: {', '.join(f'[{name}](#{name})' for name in of_heading)}\n"
        for heading, of_heading in headings.items()
    )
    parts = [
        f"## {heading}\n\n{''.join(map(section, of_heading))}"
        for heading, of_heading in headings.items()
    ]
    return f"{INTRODUCTION}{contents}\n{''.join(parts)}".rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
