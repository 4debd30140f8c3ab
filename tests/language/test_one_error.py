"""One mistake is one error: what follows from it is not told again."""

from pathlib import Path

import pytest
from folders import Folder
from test_errors import load, usance
from test_terms import BLOCKED, EXAMPLES, PAIRS, TERMS, WHAT, book_with, lent

NAME = (
    "the name cannot be part of an account. Begin it with a capital letter or a digit, and use "
    "only letters, digits and hyphens."
)
PLACES = {
    'custom "sub-account" "arb" Assets:Backpack:Arb': f'sub-account "arb": {NAME}',
    'custom "sub-account" "Ar:b" Assets:Backpack:Arb': f'sub-account "Ar:b": {NAME}',
    'custom "sub-account" "" Assets:Backpack:Arb': f'sub-account "": {NAME}',
    'custom "sub-account" "Arb" Liabilities:Backpack:Arb': 'sub-account "Arb": '
    "Liabilities:Backpack:Arb cannot hold a wallet. Write an account of assets with a venue "
    "and a name, as in Assets:Venue:Name.",
    'custom "sub-account" "Arb" Assets:Backpack': 'sub-account "Arb": Assets:Backpack cannot hold '
    "a wallet. Write an account of assets with a venue and a name, as in Assets:Venue:Name.",
    'custom "sub-account" "Arb" Assets:Backpack:Main': 'sub-account "Arb": Assets:Backpack:Main '
    'already belongs to sub-account "Main". Give each sub-account an account of its own, outside '
    "the others.",
    'custom "sub-account" "Arb" Assets:Backpack:Main:Arb': 'sub-account "Arb": '
    'Assets:Backpack:Main:Arb already belongs to sub-account "Main". Give each sub-account '
    "an account of its own, outside the others.",
}
"""Sub-accounts that have no place, while another one at the venue has."""


@pytest.mark.parametrize(("directive", "text"), PLACES.items())
def test_a_sub_account_without_a_place_is_told_once(
    directive: str, text: str, tmp_path: Path
) -> None:
    """Its accounts, which belong to nobody now, are no second fault."""
    folder, line = book_with("sub-account", f"2025-05-01 {directive}\n", tmp_path)
    texts, entries = load(folder)
    assert texts == [f"main.beancount:{line}: {text}"]
    assert lent(entries) == {pair for pair in PAIRS if "Arb" not in pair}


AGAIN = {
    "sub-account": '2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb\n',
    "observed": '2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n  entry-fee: TRUE\n',
    "rate": '2025-05-01 custom "lending-rate" "USDC" 0.0157 0.0310\n',
    "file": '2025-05-01 custom "lending-rate" "EUR" 0.0157 0.0310\n',
    "curve": '2025-05-01 custom "lending-pool" "SOL"\n  rates: "observed"\n',
}


@pytest.mark.parametrize(("term", "again"), AGAIN.items())
def test_two_terms_of_one_moment_are_told_at_the_second(
    term: str, again: str, tmp_path: Path
) -> None:
    folder, line = book_with(term, TERMS[term] + again, tmp_path)
    second = line + len(TERMS[term].splitlines())
    texts, entries = load(folder)
    assert texts == [
        (
            f"main.beancount:{second}: {WHAT[term]}: line {line} is of the "
            "same kind and name, and takes effect at the same time. Keep one of the two, or give "
            "one a later date or time, as in time: "
            '"09:30".'
        )
    ]
    assert lent(entries) == {pair for pair in PAIRS if BLOCKED[term] not in pair}


def test_two_terms_of_one_moment_in_two_files_name_the_other_file(tmp_path: Path) -> None:
    folder, line = book_with("rate", f'include "rates.beancount"\n{TERMS["rate"]}', tmp_path)
    (folder.path / "rates.beancount").write_text(AGAIN["rate"])
    [text], _ = load(folder)
    assert text.startswith(f'main.beancount:{line + 1}: lending-rate "USDC": line 1 of ')
    assert "rates.beancount is of the same kind" in text


LATER = (
    '2025-05-02 custom "lending-rate" "USDC" 0.0157 0.0310\n',
    '2025-05-01 custom "lending-rate" "USDC" 0.0157 0.0310\n  time: "00:00:01"\n',
    '2025-05-01 custom "lending-rate" "USDC" 0.0157 0.0310\n  venue: "Backpack"\n',
    '2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"\n  time: "09:00"\n',
)


@pytest.mark.parametrize("later", LATER)
def test_terms_of_two_moments_or_of_one_venue_are_no_fault(later: str, tmp_path: Path) -> None:
    folder, _ = book_with("rate", TERMS["rate"] + later, tmp_path)
    texts, entries = load(folder)
    assert (texts, lent(entries)) == ([], PAIRS)


def test_an_account_that_moves_is_told_at_the_later_directive(tmp_path: Path) -> None:
    later = '2025-05-02 custom "sub-account" "Arb" Assets:Bybit:Arb\n'
    folder, line = book_with("sub-account", TERMS["sub-account"] + later, tmp_path)
    texts, entries = load(folder)
    assert texts == [
        (
            f'main.beancount:{line + 2}: sub-account "Arb": its account is Assets:Backpack:Arb and '
            "cannot change to Assets:Bybit:Arb. Write Assets:Backpack:Arb, or declare a "
            "sub-account with another name."
        )
    ]
    assert lent(entries) == {pair for pair in PAIRS if "Arb" not in pair}


def at_bybit(path: Path, term: str, text: str) -> Folder:
    """Write the ledger with Arb at a venue of its own."""
    folder, _ = book_with(term, text, path)
    ledger = folder.ledger.read_text().replace("Backpack:Arb", "Bybit:Arb")
    folder.ledger.write_text(ledger)
    return folder


def test_rates_of_one_venue_are_missing_at_another(tmp_path: Path) -> None:
    folder = at_bybit(tmp_path, "rate", f'{TERMS["rate"]}  venue: "Bybit"\n')
    line = folder.line('"lending-pool" "USDC"')
    texts, entries = load(folder)
    assert texts == [
        (
            f"main.beancount:{line}: "
            'Sub-account "Main" lends or owes USDC on '
            "2025-05-01 at 00:00 UTC, but Backpack has no rate for USDC at that hour. Write custom "
            '"lending-rate" "USDC" with the rates from that hour on, or add the rows of that time '
            "to the rates file."
        )
    ]
    assert lent(entries) == PAIRS


def test_rates_for_a_pool_of_another_venue_have_no_pool(tmp_path: Path) -> None:
    folder = at_bybit(tmp_path, "observed", f'{TERMS["observed"]}  venue: "Backpack"\n')
    folder.edit(TERMS["rate"], f'{TERMS["rate"]}  venue: "Bybit"\n')
    texts, _ = load(folder)
    assert texts == [
        (
            f'main.beancount:{folder.line("0.0156")}: lending-rate "USDC" applies to no pool '
            'of USDC with observed rates. Write custom "lending-pool" "USDC" with rates: '
            '"observed", or remove this directive.'
        )
    ]


@pytest.mark.parametrize("fault", ['"Arb" Assets:Bybit:Arb\n  weight: 1\n', "Assets:Bybit:Arb\n"])
def test_the_venue_of_a_faulty_sub_account_is_known(fault: str, tmp_path: Path) -> None:
    folder = at_bybit(tmp_path, "rate", f'{TERMS["rate"]}{AGAIN["rate"]}  venue: "Bybit"\n')
    folder.edit('"Arb" Assets:Bybit:Arb\n', fault)
    texts, entries = load(folder)
    [text] = texts
    assert text.startswith("main.beancount:10: ")
    assert lent(entries) == {pair for pair in PAIRS if "Arb" not in pair}


def test_one_file_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    """Nothing is generated for the two coins whose rates it holds."""
    again = TERMS["rate"].replace("0.0156 0.0310", '"rates/usdc.csv"')
    folder, line = book_with("rate", again, tmp_path)
    (folder.path / "rates" / "usdc.csv").unlink()
    texts, entries = load(folder)
    assert texts == [
        (
            f"main.beancount:{line}: The rates file rates/usdc.csv does not exist. Write the path "
            "of a rates file from the ledger's folder, such as rates/usdc.csv."
        )
    ]
    assert lent(entries) == {("Main", "SOL"), ("Arb", "SOL")}


HANDOVER = """\
2025-05-01 * "Allocate"
  Assets:Backpack:Main:Wallet       -1 USDC
  Assets:Backpack:Arb:Wallet         1 USDC
"""


def test_a_transfer_is_not_completed_while_a_side_is_faulty(tmp_path: Path) -> None:
    wrong = f"{TERMS['sub-account']}  earn: 1\n"
    folder, line = book_with("sub-account", wrong, tmp_path)
    folder.ledger.write_text(folder.ledger.read_text() + HANDOVER)
    texts, entries = load(folder)
    text = 'sub-account "Arb": earn is the number 1. Write it as earn: TRUE or FALSE.'
    assert texts == [f"main.beancount:{line}: {text}"]
    assert not [entry for entry in entries if "transfer" in (getattr(entry, "tags", None) or ())]
    assert lent(entries) == {pair for pair in PAIRS if "Arb" not in pair}


def test_a_pad_from_one_sub_account_to_another_is_told_once(tmp_path: Path) -> None:
    folder, _ = book_with("accrue-through", TERMS["accrue-through"], tmp_path)
    pad = "2025-05-02 pad Assets:Backpack:Main:Wallet Assets:Backpack:Arb:Wallet\n"
    balance = "2025-05-03 balance Assets:Backpack:Main:Wallet 2000 USDC\n"
    folder.ledger.write_text(folder.ledger.read_text() + pad + balance)
    line = folder.line("pad")
    texts, _ = load(folder)
    assert texts == [
        (
            f"main.beancount:{line}: Beancount pads Assets:Backpack:Main:Wallet only after "
            "Usance has computed the days, so they would miss the amount. Write it as a "
            "transaction."
        )
    ]


@pytest.mark.parametrize("term", EXAMPLES)
def test_a_directive_without_values_is_told(term: str, tmp_path: Path) -> None:
    """Goal: once, and nothing else: Beancount's own pad would stumble over it after us."""
    kind = TERMS[term].split()[2]
    folder, line = book_with(term, f"2025-05-01 custom {kind}\n", tmp_path)
    texts, _ = load(folder)
    remedy = f"Write it as {EXAMPLES[term]}."
    assert texts[0] == f"main.beancount:{line}: custom {kind} has the wrong values. {remedy}"
    assert not [text for text in texts if "Traceback" in text]
    assert usance(folder, "accrue")[0] == 1
