"""The page of mutants, docs/mutants.md, made from the outcomes of mutmut.

    mutmut run
    python tests/support/mutants_page.py

mutmut changes the modules of money, seals and the lock in one place at a time, and runs the tests
of pyproject.toml that reach the place. A mutant that no test notices has a reason here, or the
script fails: then it needs a test, or the code can do without the changed part.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutants.md"
MUTMUT = Path(sys.executable).with_name("mutmut")
DEAD = ("killed", "timeout")
LEAST = 90
"""Percent that must be killed."""

REASONS = {
    r"treasury: square = Decimal\(0\) if 2 \* days < year .*": "at half a year both give 0",
    r"yields: .*\.to_integral_value\(None\)\)?": "the context rounds half-even too",
    r"interest: .*\(sum\(rates, \) .*": "0 + a Decimal is that Decimal",
    r"interest: .*_are_even\(rates\)\) and False else .*": "a shortcut for hours that are alike",
    r"interest: return rates\.count\(None\) .*": "a shortcut for hours that are alike",
    r"seals: corrections = .* or True else \(\)": "a shortcut for a day that corrects none",
    r"seals: .*\.to_bytes\(8, \)\)": "big-endian is the default",
    r"seals: .* b\"XXXX\"\)\)": "a line that begins with no date is of no day",
    r"seals: .*\.count\(b\"\\n\", None, .*": "None is the start too",
    r"seals: .*\.decode\(\"(UTF-8|ASCII)\", .*": "names of encodings ignore case",
    r"amounts: return max\(0, -exponent\) .*": "of a finite number it is an integer",
    r"amounts: exponent = None": "a shortcut for integers, which the rest leaves as they are",
    r"amounts: .* exponent >= 0 else short": "an integer is that integer",
}
"""Why a mutant is no fault, by a pattern over its module and the changed line."""

INTRODUCTION = """\
# Mutants

How well the tests watch the modules of money, seals and the lock. mutmut changes them in one place
at a time: an operator, a constant, an argument, a text. A test must fail then. `make soak` does it
again and makes this page. Constants of a module are left out, and so are functions that
`contextmanager` decorates (`locked` around `_lock`, and `closing`): mutmut cannot change them.

"""


def mutmut(*words: str) -> str:
    return subprocess.run(
        [MUTMUT, *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def outcomes() -> dict[str, str]:
    """Return the outcome of each mutant, by its name."""
    return dict(re.findall(r"^ *(\S+): (.+)$", mutmut("results", "--all", "true"), re.MULTILINE))


def module(name: str) -> str:
    return name.split(".")[-2]


def change(name: str) -> tuple[str, str]:
    """Return the text that a mutant changes, before and after."""
    lines = re.findall(r"^([-+]) +(.*)$", mutmut("show", name), re.MULTILINE)
    before, after = (" ".join(text for sign, text in lines if sign == wanted) for wanted in "-+")
    return before, after


def table(found: dict[str, str]) -> str:
    """Return the figures of each module, and of all."""
    made = Counter(map(module, found))
    killed = Counter(module(name) for name, outcome in found.items() if outcome in DEAD)
    rows = [(name, made[name], killed[name]) for name in sorted(made)]
    rows.append(("all", made.total(), killed.total()))
    head = "| module | mutants | killed | percent |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {name} | {of_module} | {dead} | {100 * dead // of_module} |\n"
        for name, of_module, dead in rows
    )


def survivors(found: dict[str, str]) -> str:
    """Return each mutant that no test noticed, with the reason."""
    text, unused = "", set(REASONS)
    for name, outcome in found.items():
        if outcome in DEAD:
            continue
        before, after = change(name)
        line = f"{module(name)}: {after}"
        patterns = [pattern for pattern in REASONS if re.fullmatch(pattern, line)]
        if outcome != "survived" or not patterns:
            sys.exit(f"{name}: {outcome}\n- {before}\n+ {after}\nIt needs a test, or a reason.")
        unused -= {*patterns}
        text += f"* {module(name)}: `{before}` became `{after}`: {REASONS[patterns[0]]}\n"
    if unused:
        sys.exit(f"No mutant is left that has this reason: {unused}")
    return text


def main() -> None:
    """Write the page."""
    found = outcomes()
    left = survivors(found)
    killed = sum(outcome in DEAD for outcome in found.values())
    if 100 * killed < LEAST * len(found):
        sys.exit(f"{killed} of {len(found)} mutants were killed: {LEAST} % must be.")
    PAGE.write_text(f"{INTRODUCTION}{table(found)}\nLeft alive, each the same program:\n\n{left}")


if __name__ == "__main__":
    main()
