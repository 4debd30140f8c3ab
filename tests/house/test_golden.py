"""Golden ledgers: what each example in ledgers/ generates, byte for byte."""

import pytest
from golden_ledgers import GOLDEN, LEDGERS, generated, golden


@pytest.mark.parametrize("name", LEDGERS)
def test_a_ledger_generates_its_golden_text(name: str) -> None:
    assert generated(LEDGERS[name]) == golden(name).read_text()


def test_every_golden_text_has_its_ledger() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(LEDGERS)
