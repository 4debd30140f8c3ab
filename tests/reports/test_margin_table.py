"""The table of margin in bean-query and in Fava: what `usance margin` says, for each day.

Its figures are worked by hand in test_margin_commands.py; here they are compared.
"""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import beanquery
import pytest
from beanquery.sources import beancount as source
from fava.application import create_app
from margin_books import HEAD, LONG, MAIN_AND_DESK, SUMS, TERMS, Books, books, through

from usance.reports.margin_table import register

BIN = Path(sys.executable).parent
KEPT = {key: value for key, value in os.environ.items() if not key.startswith("BEANCOUNT")}
MORE = (
    """\
    2025-05-03 price SOL-PERP 131.5 USDC
    2025-05-04 * "Close 10 at 132"
      Assets:Backpack:Main:Perp    -10 SOL-PERP {} @ 132 USDC
      Assets:Backpack:Main:Perp   1320 USDC
      Income:Backpack:Main:PnL     180 USDC
    2025-05-04 price SOL-PERP 133.333333333 USDC
    2025-05-01 custom "sub-account" "Rest" Assets:Backpack:Rest
    2025-05-02 * "Deposit of one without exposure"
      Assets:Backpack:Rest:Wallet    1 USDC
      Assets:Bank                   -1 USDC
    """,
    through("2025-05-05"),
)
"""A breach on the third of May, and figures with many digits after it."""

COLUMNS = ["date", *SUMS, "in_breach"]
COLUMNS[1] = "sub_account"


def days(first: int, last: int) -> list[str]:
    return [f"2025-05-0{day}" for day in range(first, last + 1)]


def shown(made: Books, at: Iterable[str]) -> list[dict[str, Any]]:
    """Return what `usance margin` says of each day."""
    return [
        {"date": day, "sub_account": row.pop("name"), **row}
        for day in at
        for row in json.loads(
            made.usance("margin", "--at", day, "--format", "json").stdout,
            object_hook=lambda found: {
                key: value
                for key, value in found.items()
                if not key.endswith(("ets", "ons", "ows"))
            },
        )["sub_accounts"]
    ]


def figures(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its figures as numbers, None where there is none."""
    keys = SUMS[2:]
    return {
        **{key: str(row[key]) for key in ("date", "sub_account", "venue")},
        **{key: Decimal(row[key]) if row[key] not in (None, "") else None for key in keys},
    }


def queried(made: Books, query: str) -> list[dict[str, Any]]:
    """Return what beanquery answers in this process."""
    cursor = beanquery.connect(f"beancount:{made.path}").execute(query)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def bean_query(made: Books, query: str) -> subprocess.CompletedProcess[str]:
    """Run bean-query."""
    words = [str(BIN / "bean-query"), "-f", "csv", "-m", str(made.path), query]
    return subprocess.run(words, env=KEPT, capture_output=True, text=True, check=False)


def python(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    line = [sys.executable, "-c", script, *words]
    return subprocess.run(line, env=KEPT, capture_output=True, text=True, check=False)


def test_bean_query_answers_what_usance_margin_says(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    done = bean_query(made, "SELECT * FROM #margin")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == COLUMNS
    assert len(rows) == 15
    for row, expected in zip(rows, shown(made, days(1, 5)), strict=True):
        found = figures({key: value.strip() for key, value in row.items()})
        assert {key: found[key] for key in ("date", "sub_account", "venue")} == {
            key: expected[key] for key in ("date", "sub_account", "venue")
        }
        # bean-query prints a column with the digits that most of its numbers have.
        for key in SUMS[2:]:
            told = None if expected[key] is None else Decimal(expected[key])
            assert (found[key] is None) == (told is None)
            if told is not None:
                assert found[key] is not None
                assert found[key] == pytest.approx(told, abs=Decimal("0.01"))


def test_the_table_has_every_digit(tmp_path: Path) -> None:
    """In Python, where nothing is printed."""
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    rows = queried(made, "SELECT * FROM #margin")
    assert [figures(row) for row in rows] == [figures(row) for row in shown(made, days(1, 5))]
    assert [row["date"] for row in rows[::3]] == [date(2025, 5, day) for day in range(1, 6)]
    assert {type(row[key]) for row in rows for key in SUMS[2:]} == {Decimal, type(None)}
    assert [row["in_breach"] for row in rows if row["sub_account"] == "Main"] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_it_can_be_filtered_and_summed(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    found = queried(made, "SELECT date, sub_account FROM #margin WHERE in_breach")
    assert found == [{"date": date(2025, 5, 3), "sub_account": "Main"}]
    found = queried(
        made, "SELECT sub_account, max(exposure) AS most, count(*) AS days FROM #margin GROUP BY 1"
    )
    assert {row.pop("sub_account"): row for row in found} == {
        "Desk": {"most": 5300, "days": 5},
        "Main": {"most": 7500, "days": 5},
        "Rest": {"most": 0, "days": 5},
    }


def test_what_cannot_be_priced_has_no_row(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    made = made.edited("2025-05-01 price SOL-PERP 150 USDC\n", "")
    found = queried(made, "SELECT date, sub_account FROM #margin")
    assert [row["sub_account"] for row in found] == ["Desk", "Rest", *["Desk", "Main", "Rest"] * 4]


def test_closed_days_have_rows(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    rows = queried(made, "SELECT * FROM #margin")
    assert made.usance("accrue", "--through", "2025-05-03").exit_code == 0
    assert queried(made, "SELECT * FROM #margin") == rows
    assert made.usance("accrue", "--stale-ok").exit_code == 0
    assert queried(made, "SELECT * FROM #margin") == rows


def test_days_that_are_closed_beyond_the_horizon_have_rows(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK)
    assert made.usance("accrue", "--through", "2025-05-04").exit_code == 0
    rows = queried(made, "SELECT * FROM #margin")
    assert [figures(row) for row in rows] == [figures(row) for row in shown(made, days(1, 4))]


@pytest.mark.parametrize("text", ["", TERMS])
def test_it_may_be_empty_or_figures_may_be_zero(tmp_path: Path, text: str) -> None:
    made = books(tmp_path, text)
    assert len(queried(made, "SELECT * FROM #margin")) == 0


def test_without_an_operating_currency_it_has_no_figures(tmp_path: Path) -> None:
    head = HEAD.replace('option "operating_currency" "USDC"\n', "")
    made = books(tmp_path, TERMS, LONG, through("2025-05-02"), head=head)
    assert queried(made, "SELECT * FROM #margin") == []


# Fava


def test_fava_answers_what_usance_margin_says(tmp_path: Path) -> None:
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    fava = create_app([str(made.path)], load=True).test_client()
    answer = fava.get("/beancount/api/query?query_string=SELECT+*+FROM+%23margin")
    assert answer.status_code == 200
    table = answer.get_json()["data"]
    assert [column["name"] for column in table["types"]] == COLUMNS
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table["rows"]]
    for row, expected in zip(rows, shown(made, days(1, 5)), strict=True):
        assert (row["date"], row["sub_account"], row["venue"]) == (
            expected["date"],
            expected["sub_account"],
            expected["venue"],
        )
        for key in SUMS[2:]:
            told = expected[key]
            # Fava hands numbers over as JSON has them.
            assert row[key] == (None if told is None else pytest.approx(float(told)))
    assert [row["in_breach"] for row in rows].count(True) == 1


FIRST_QUERY = """\
import sys
from fava.application import create_app
fava = create_app([sys.argv[1]], load=True).test_client()
print(fava.get("/beancount/api/query?query_string=SELECT+count(*)+FROM+%23margin").text)
"""


def test_the_first_query_of_a_fava_finds_it(tmp_path: Path) -> None:
    """Goal: in a process that has loaded a ledger, and asked beanquery nothing."""
    done = python(FIRST_QUERY, str(books(tmp_path, *MAIN_AND_DESK, *MORE).path))
    assert json.loads(done.stdout)["data"]["rows"] == [[15]], done.stderr


def test_fava_under_a_filter(tmp_path: Path) -> None:
    """Figures are of what the filter keeps; no filter breaks it."""
    made = books(tmp_path, *MAIN_AND_DESK, *MORE)
    fava = create_app([str(made.path)], load=True).test_client()
    query = "/beancount/api/query?query_string=SELECT+date+FROM+%23margin"
    for kept in (
        "time=2025-05-02",
        "account=Assets:Bank",
        "filter=%23usance",
        "filter=%22Close%22",
    ):
        answer = fava.get(f"{query}&{kept}")
        assert answer.status_code == 200, answer.text
        assert "rows" in answer.get_json()["data"]


# beanquery as it is


@pytest.mark.parametrize("kept", ["none", "a tuple"])
def test_a_beanquery_without_its_list_is_left_alone(
    kept: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The list of tables is its own; without it nothing is added, and nothing breaks."""
    if kept == "none":
        monkeypatch.delattr(source, "_TABLES")
    else:
        monkeypatch.setattr(source, "_TABLES", tables := tuple(source._TABLES))  # noqa: SLF001
    register()
    assert books(tmp_path, *MAIN_AND_DESK).told() == []
    assert getattr(source, "_TABLES", None) == (None if kept == "none" else tables)


def test_it_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [table for table in source._TABLES if table.name != "margin"]  # noqa: SLF001
    monkeypatch.setattr(source, "_TABLES", [*others])
    for name in ("one", "two"):
        books(tmp_path / name, *MAIN_AND_DESK)
    assert [table.name for table in source._TABLES] == [  # noqa: SLF001
        *(table.name for table in others),
        "margin",
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("usance.plugins", True),
        ("usance.plugins.margin_pool", True),
        ("usance.plugins.auto_lending", False),
        ("usance.plugins.sub_accounts", False),
    ],
)
def test_it_comes_with_the_margin_stage(tmp_path: Path, line: str, *, found: bool) -> None:
    made = books(tmp_path, TERMS, head=HEAD.replace("usance.plugins", line))
    done = bean_query(made, "SELECT count(*) FROM #margin")
    assert (done.returncode == 0) == found
    assert ('table "margin" does not exist' in done.stderr) == (not found)


def test_bean_check_does_not_import_beanquery(tmp_path: Path) -> None:
    """A load for another tool need not pay for it."""
    made = books(tmp_path, *MAIN_AND_DESK)
    script = (
        "import sys; from beancount import loader\n"
        "entries, errors, _ = loader.load_file(sys.argv[1])\n"
        "assert not errors and any('margin' in getattr(e, 'tags', ()) for e in entries)\n"
        "print([name for name in sys.modules if name.startswith('beanquery')])"
    )
    assert python(script, str(made.path)).stdout == "[]\n"
    script = script.replace("from beancount", "import beancount.scripts.check; from beancount")
    assert python(script, str(made.path)).stdout == "[]\n"
    words = [str(BIN / "bean-check"), str(made.path)]
    done = subprocess.run(words, env=KEPT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
