"""Faults: a run is struck, the books are those before or after, and the next run mends all."""

import os

import pytest
from faults_page import BY_ROOT, EACH, FAULTS, HEAD, PAGE, PARTS, Books, Compacting, Fault, Undoing


def name(fault: Fault) -> str:
    return f"{fault.name}, {fault.where}"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    return Books.small(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_a_fault_loses_nothing_and_its_row_on_the_page_says_so(fault: Fault, books: Books) -> None:
    if fault in BY_ROOT and os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    assert fault.row(fault.tried(books)) in PAGE.read_text(), "run python tests/faults_page.py"


@pytest.fixture(scope="module", params=[Compacting, Undoing])
def compacting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Books:
    kind: type[Compacting] = request.param
    return kind.small(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("fault", EACH, ids=name)
def test_a_fault_loses_nothing_of_a_month_that_is_compacted_or_brought_back(
    fault: Fault, compacting: Books
) -> None:
    assert fault.row(fault.tried(compacting)) in PAGE.read_text(), "run python tests/faults_page.py"


def test_the_page_has_nothing_else() -> None:
    rest = PAGE.read_text()
    for above, _, faults in PARTS:
        assert rest.startswith(above + HEAD)
        rest = rest.removeprefix(above + HEAD)
        for fault in faults:
            row, _, rest = rest.partition("\n")
            assert row.startswith(f"| {fault.name} | {fault.where} | ")
    assert rest == ""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Books:
    return Books.large(tmp_path_factory.mktemp("faults"))


@pytest.mark.soak
@pytest.mark.parametrize("fault", EACH, ids=name)
def test_a_fault_loses_nothing_of_many_days(fault: Fault, large: Books) -> None:
    assert len(large.operations) > 90
    assert fault.tried(large).found
