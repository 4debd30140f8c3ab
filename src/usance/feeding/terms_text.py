"""Terms text: margin terms that a venue says over time, as dated directives.

Only what is news is written: figures that differ from the venue's last ones, and from the terms
that are in force then, a person's included.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from usance.model.amounts import decimal_text
from usance.model.hours import Day, Moment, iso, moment
from usance.model.terms import Collateral, Identity, InverseSqrt, Perpetual, Slope
from usance.model.timeline import Timeline

V = TypeVar("V", Perpetual, Collateral)


class Dated(NamedTuple, Generic[V]):
    """Terms from a day on.

    seen  the day on which they were first seen: a later one if they are also taken for before
    """

    day: Day
    seen: Day
    value: V


def news(
    said: Mapping[Day, V], first: Day, own: Timeline[V] | None, stated: Collection[Day]
) -> Iterator[Dated[V]]:
    """Yield the terms that have to be written, in order of day.

    said    what the venue said, by the day on which it was first seen so
    first   day on which the books first have the coin or contract
    own     a person's terms
    stated  days from whose 00:00 a person has terms for this venue alone: those stand
    """
    # What was seen before the books had it counts from then on. Dated earlier, it would change
    # days that may be closed.
    known = max((day for day in said if day <= first), default=None)
    starts = {day: day for day in sorted(said) if day > first}
    if known is not None:
        starts = {first: known, **starts}
    elif _of_person(own, first) is None:
        # Nobody knows what it was. Without any terms there would be no figures at all.
        yield Dated(first, min(said), said[min(said)])
    last: V | None = None
    written: tuple[Moment, V] | None = None
    for day, seen in starts.items():
        value, theirs = said[seen], _of_person(own, day)
        in_force = theirs
        if written is not None and (theirs is None or written[0] >= theirs[0]):
            in_force = written
        is_new = last is None or _figures(value) != _figures(last)
        if is_new and day not in stated and not _is(value, in_force):
            written = moment(day), value
            yield Dated(day, seen, _with_underlying(value, theirs))
        last = value


def _of_person(own: Timeline[V] | None, day: Day) -> tuple[Moment, V] | None:
    """Return a person's terms at 00:00 of a day, with the moment from which they are in force."""
    at = moment(day)
    value = None if own is None else own.at(at)
    if own is None or value is None:
        return None
    return max(one for one in own.moments if one <= at), value


def _is(value: V, in_force: tuple[Moment, V] | None) -> bool:
    return in_force is not None and _figures(value) == _figures(in_force[1])


def _figures(value: Perpetual | Collateral) -> Collateral | tuple[str, Slope, Slope]:
    """Return what a venue says of terms: it does not say what moves with a contract's mark."""
    if isinstance(value, Perpetual):
        return value.settle, value.initial, value.maintenance
    return value


def _with_underlying(value: V, theirs: tuple[Moment, V] | None) -> V:
    """Return terms that name the underlying which a person named."""
    if theirs is not None and isinstance(theirs[1], Perpetual) and isinstance(value, Perpetual):
        return replace(value, underlying=theirs[1].underlying or value.underlying)
    return value


# Text


def text(name: str, venue: str, terms: Dated[V]) -> str:
    """Return terms as a directive."""
    kind = "perpetual" if isinstance(terms.value, Perpetual) else "collateral"
    lines = [f'{iso(terms.day)} custom "{kind}" "{name}"', f'venue: "{venue}"']
    if terms.seen > terms.day:
        lines[0] += f" ; not seen before {iso(terms.seen)}"
    lines += (
        _perpetual(terms.value) if isinstance(terms.value, Perpetual) else _haircut(terms.value)
    )
    for key, slope in (("initial", terms.value.initial), ("maintenance", terms.value.maintenance)):
        lines.append(f"{key}-margin: {decimal_text(slope.base)}")
        if slope.factor:
            lines.append(f"{key}-margin-factor: {decimal_text(slope.factor)}")
    return "\n  ".join(lines) + "\n"


def _perpetual(value: Perpetual) -> list[str]:
    lines = [f"settle: {value.settle}"]
    return lines if value.underlying is None else [*lines, f'underlying: "{value.underlying}"']


def _haircut(value: Collateral) -> list[str]:
    match value.haircut:
        case Identity(weight):
            return [f"weight: {decimal_text(weight)}"]
        case InverseSqrt(weight, base, penalty):
            return [
                f"weight: {decimal_text(weight)}",
                'weight-function: "inverse-sqrt"',
                f"base: {decimal_text(base)}",
                f"penalty: {decimal_text(penalty)}",
            ]
    raise AssertionError(value.haircut)
