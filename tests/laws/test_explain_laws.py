"""Explanations of drawn ledgers: each transaction comes out as it stands, each step as it says."""

import json
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import test_margin_laws as margins
import test_yield_laws as yields
import yield_books
from calculator import calculate
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import Ledger, ledgers

from usance.ledger import load as ledger

DRAWN = st.one_of(
    ledgers(), margins.ledgers(), margins.ledgers(simulated=True), yields.ledgers(true_ups=True)
)


@settings(max_examples=max(6, settings().max_examples // 4))
@given(DRAWN, st.data())
def test_each_step_comes_out(
    drawn: Ledger | margins.Drawn | yields.Ledger, draw: st.DataObject
) -> None:
    text = drawn.text() if isinstance(drawn, margins.Drawn) else str(drawn)
    if isinstance(drawn, yields.Ledger):
        text = yield_books.whole(text)
    with TemporaryDirectory() as folder:
        path = margins.made(folder, text)
        book = ledger.load(str(path))
        ids = [str(entry.meta["usance"]) for entry in margins.generated(book)]
        if book.errors or not ids:
            reject()
        for identity in draw.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4)):
            words = (identity, "--hours", "--format", "json")
            done = yield_books.usance("explain", Path(path), *words)
            assert (done.exit_code, done.exception) == (0, None), done.output
            for step in json.loads(done.stdout)["steps"]:
                found = calculate(step["formula"], step["values"])
                assert found == Decimal(step["result"]), (identity, step)
