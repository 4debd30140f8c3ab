"""Statement: the answer of `usance statement`, what a period did to the value of everything."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

from usance.language.reading import Reading
from usance.ledger.load import Ledger
from usance.model.amounts import EXACT, ZERO, rounded_text, total
from usance.model.hours import Day, date_of, day_of, iso, month_end
from usance.model.problems import Problem
from usance.reports import basis
from usance.reports.figures import Figures, shown
from usance.reports.performance import LINES, Interval, Part, Performance, Span, performance

INTERVALS = ("day", "week", "month", "quarter", "year")
UNNAMED = ("funding", "fees")
"""Lines that a statement shows as one, whatever contract they are about."""

RESULTS = ("contracts", "coins")
"""The lines of which a part is realised."""

WORDS = {
    "deposits": "Deposits",
    "withdrawals": "Withdrawals",
    "transfers_in": "Transfers in",
    "transfers_out": "Transfers out",
    "lending_interest": "Lending interest",
    "treasury": "Treasury yield",
    "bonus": "Bonus",
    "borrow_interest": "Borrow interest",
    "contracts": "Contracts",
    "funding": "Funding",
    "fees": "Fees",
    "coins": "Coins",
    "liquidation": "Debts relieved",
    "other": "Other",
}
"""The name of each line for people."""

COLUMNS = (
    "name",
    "venue",
    "kind",
    "from",
    "to",
    "line",
    "about",
    "amount",
    "realised",
    "unrealised",
)
"""The columns of the CSV; `line` is also opening, closing and difference."""


BASES = {basis.POSTED: "as posted", basis.CORRECTED: "as corrected"}


def statement(
    ledger: Ledger, reading: Reading, span: Span, by: str | None = None, on: str = basis.POSTED
) -> tuple[Figures, list[Problem]]:
    """Return the answer of `usance statement`, and a problem for each missing price.

    by  one of INTERVALS, or None for one interval
    on  the basis
    """
    spans = list(intervals(span, by))
    entries = basis.entries(ledger, reading, span[1], on)
    return answered(performance(ledger, reading, entries, spans), span, on)


def answered(found: Performance, span: Span, on: str) -> tuple[Figures, list[Problem]]:
    """Return what the intervals of a span did, and a problem for each missing price."""
    answer = {
        "from": iso(span[0]),
        "to": iso(span[1]),
        "currency": found.currency,
        "basis": on,
        "parts": [_part(part, periods) for part, periods in found.parts],
    }
    return answer, found.problems


def series(
    ledger: Ledger, reading: Reading, span: Span, on: str, name: str | None
) -> list[tuple[str, str | None]]:
    """Return the net asset value in each evening, of one part or of the whole.

    A period of more than four months has the evenings of weeks.
    """
    by = "day" if span[1] - span[0] < LONG else "week"
    answer, _ = values(ledger, reading, span, by, on)
    return [
        (row["date"], row["net_asset_value"])
        for row in answer["rows"]
        if row["sub_account"] == (name or "")
    ]


def values(
    ledger: Ledger, reading: Reading, span: Span, every: str, on: str
) -> tuple[Figures, list[Problem]]:
    """Return the answer of `usance accounts --every`, and a problem for each missing price.

    every  one of INTERVALS: each row is of the last evening of one
    """
    entries = basis.entries(ledger, reading, span[1], on)
    found = performance(ledger, reading, entries, list(intervals(span, every)))
    rows = [
        {
            "date": iso(period.last),
            "sub_account": part.name,
            "venue": part.venue,
            "net_asset_value": shown(period.closing),
        }
        for periods in zip(*(periods for _, periods in found.parts), strict=True)
        for (part, _), period in zip(found.parts, periods, strict=True)
    ]
    return {"every": every, "currency": found.currency, "basis": on, "rows": rows}, found.problems


LONG = 124


def intervals(span: Span, by: str | None) -> Iterator[Span]:
    """Yield a period by day, week (from Monday), month, quarter or year; the ends may be parts."""
    first, last = span
    while first <= last:
        end = last if by is None else min(last, _end(first, by))
        yield first, end
        first = Day(end + 1)


def _end(day: Day, by: str) -> Day:
    """Return the last day of the interval of a day."""
    date = date_of(day)
    match by:
        case "day":
            return day
        case "week":
            return Day(day + 6 - date.weekday())
        case "month" | "quarter":
            months = date.month if by == "month" else date.month + -date.month % 3
            return month_end(day_of(date.replace(day=1, month=months)))
    return day_of(date.replace(month=12, day=31))


def _part(part: Part, periods: list[Interval]) -> Figures:
    return {**part._asdict(), "periods": [_period(interval) for interval in periods]}


def _period(interval: Interval) -> Figures:
    known = interval.difference is not None
    return {
        "from": iso(interval.first),
        "to": iso(interval.last),
        "opening": shown(interval.opening),
        "lines": list(_lines(interval)) if known else None,
        "closing": shown(interval.closing),
        "difference": shown(interval.difference),
    }


def _lines(interval: Interval) -> Iterator[Figures]:
    """Yield the lines of an interval, in their order, each by name; an empty one without a name."""
    found = dict(interval.lines)
    for line in UNNAMED:
        of_line = [found.pop(key) for key in [*found] if key[0] == line]
        found[line, ""] = total(of_line)
    for line in LINES:
        names = sorted(name for of, name in found if of == line) or [""]
        for name in names:
            amount = found.get((line, name), ZERO)
            row: dict[str, str | None] = {"line": line, "name": name, "amount": shown(amount)}
            if line in RESULTS:
                realised = interval.realised.get((line, name), ZERO)
                row["realised"] = shown(realised)
                row["unrealised"] = shown(EXACT.subtract(amount, realised))
            yield row


Row = tuple[str, list[str]]
"""A label, and a figure for each interval."""


def title(part: Figures, answer: Figures) -> str:
    """Return what a part's statement is of."""
    names = {"whole": "The whole", "sub-account": f"{part['name']} at {part['venue']}"}
    of = names.get(part["kind"], f"{part['name']}, a product at {part['venue']}")
    period = f"{answer['from']} to {answer['to']}"
    return f"{of}, {period}, {answer['currency']}, {BASES[answer['basis']]}"


def rows(part: Figures) -> tuple[list[str], list[Row] | None]:
    """Return a part's statement as a head for each interval and a row for each line that has one.

    Several intervals have a total. The rows are None if a price is missing.
    """
    periods = part["periods"]
    heads = [head(period) for period in periods]
    if any(period["lines"] is None for period in periods):
        return heads, None
    found: dict[tuple[int, str, int], list[Decimal]] = {}
    for index, period in enumerate(periods):
        for line in period["lines"]:
            for place, key in enumerate(("amount", "realised", "unrealised")):
                amount = Decimal(line.get(key, 0))
                if amount:
                    row = (LINES.index(line["line"]), line["name"], place)
                    found.setdefault(row, [ZERO] * len(periods))[index] = amount
    made = [("Opening", _with_total(periods, "opening", 0))]
    for (line_, name, place), amounts in sorted(found.items()):
        label = WORDS[LINES[line_]] + (f", {name}" if name else "")
        if place:
            label = ("  realised", "  change of unrealised")[place - 1]
        sums = [*amounts, total(amounts)] if len(periods) > 1 else amounts
        made.append((label, [rounded_text(amount) for amount in sums]))
    made.append(("Closing", _with_total(periods, "closing", -1)))
    differences = [Decimal(period["difference"]) for period in periods]
    sums = [*differences, total(differences)] if len(periods) > 1 else differences
    made.append(("Difference", [rounded_text(number) for number in sums]))
    return [*heads, "Total"] if len(periods) > 1 else ["Amount"], made


def _with_total(periods: list[Figures], key: str, of_total: int) -> list[str]:
    """Return opening or closing of each interval, and of all together."""
    values = [period[key] for period in periods]
    return [*values, values[of_total]] if len(values) > 1 else values


def head(period: Figures) -> str:
    """Return the name of an interval: its year, month, day, or its first day to its last."""
    first, last = period["from"], period["to"]
    if first == last:
        return str(first)
    whole = iso(month_end(day_of(datetime.date.fromisoformat(last)))) == last
    if whole and first.endswith("-01"):
        if first[:7] == last[:7]:
            return str(first[:7])
        if first.endswith("-01-01") and last.endswith("-12-31") and first[:4] == last[:4]:
            return str(first[:4])
    return f"{first} to {last}"


def flat(answer: Figures) -> Iterator[list[str | None]]:
    """Yield a statement as rows of one flat table, with the columns of COLUMNS."""
    for part in answer["parts"]:
        for period in part["periods"]:
            head = [part["name"], part["venue"], part["kind"], period["from"], period["to"]]
            yield [*head, "opening", "", period["opening"], None, None]
            for row in period["lines"] or ():
                results = [row.get("realised"), row.get("unrealised")]
                yield [*head, row["line"], row["name"], row["amount"], *results]
            yield [*head, "closing", "", period["closing"], None, None]
            yield [*head, "difference", "", period["difference"], None, None]
