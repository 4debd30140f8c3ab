"""Changes: closed days that are not as sealed any more, and whether a feed or a person did it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from usance.close import inputs
from usance.ledger.load import Ledger
from usance.model.hours import iso
from usance.model.problems import Problem

_WORD = re.compile(r"[A-Za-z][\w:.-]*")


class Changes(NamedTuple):
    """What has changed in closed days.

    days     that have changed, oldest first
    by_hand  the changes that no feed explains
    """

    days: list[str]
    by_hand: list[Problem]


def changes(ledger: Ledger, is_fed: Callable[[str], bool]) -> Changes:
    """Return what has changed in the closed days of a ledger.

    is_fed  tells whether a file, by its path, is written from the rows of a feed
    """
    changed = inputs.changed_days(ledger.read(), ledger.folder)
    by_hand: list[Problem] = []
    for day in changed:
        by_hand += _by_hand(inputs.differences(day, ledger.folder), is_fed)
    return Changes([iso(day.day) for day in changed], by_hand)


def _by_hand(differences: Iterable[Problem], is_fed: Callable[[str], bool]) -> list[Problem]:
    """Return the differences of a day that no feed explains.

    Rows never vanish. So a line of a feed that is gone was replaced by one of the same kind, such
    as a day's funding with a row more; if there is none, a person took it out.
    """
    found, new = list[Problem](), Counter[tuple[str, ...]]()
    gone: list[tuple[Problem, tuple[str, ...]]] = []
    for problem in differences:
        if problem.name != "closed-day-changed":
            found.append(problem)
            continue
        _, how, text = problem.facts
        if how != "added":
            gone.append((problem, _kind(text)))
        elif is_fed(problem.source.file):
            new[_kind(text)] += 1
        else:
            found.append(problem)
    for problem, kind in gone:
        if new[kind]:
            new[kind] -= 1
        else:
            found.append(problem)
    return found


def _kind(text: str) -> tuple[str, ...]:
    """Return the date of a line and its names: all but its figures."""
    date = text.split(" ", 1)[0]
    return date, *sorted({*_WORD.findall(text)})
