"""The page Lending shows what is imported beside what the engine expects, as the command does."""

import json
import re
from pathlib import Path

from fava.application import create_app
from folders import SIX_DAYS, Folder

BOOKS = SIX_DAYS + '2025-05-01 custom "fava-extension" "usance.fava"\n'
ROW = """\
2025-05-03 * "Interest"
  time: "23:59:59"
  Assets:Backpack:Main:Wallet  0.3 USDC
  Income:Backpack:Main:Interest
"""


def lending_page(folder: Folder) -> str:
    app = create_app([str(folder.ledger)], load=True, read_only=True)
    client = app.test_client()
    slug = client.get("/").headers["Location"].strip("/").split("/")[0]
    got = client.get(f"/{slug}/extension/UsanceLending/")
    assert got.status_code == 200
    assert "Usance could not make this page" not in got.text
    return got.text


def test_the_page_shows_the_differences_of_the_command(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", BOOKS + ROW)
    folder.edit(
        "Backpack:Main\n  auto-lend: TRUE\n",
        'Backpack:Main\n  interest: "imported"\n  auto-lend: TRUE\n',
    )
    [answer] = json.loads(folder.usance("lending", "--format", "json").stdout)["differences"]
    # Six days of 1000, and of 1000.3 from the 4th, at 0.00001 an hour.
    assert (answer["interest"], answer["days"]) == ("0.300000", 6)
    assert answer["difference"].startswith("-1.1")
    shown = lending_page(folder)
    [table] = re.findall(r"<caption>Imported interest.*?</table>", shown, re.DOTALL)
    for key in ("interest", "expected", "difference"):
        assert f'value="{answer[key]}"' in table


def test_without_imported_interest_there_is_no_such_table(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", BOOKS)
    assert "differences" not in json.loads(folder.usance("lending", "--format", "json").stdout)
    assert "Imported interest" not in lending_page(folder)
