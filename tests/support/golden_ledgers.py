"""Golden ledgers: the text that each example in ledgers/ generates, in tests/golden.

`make golden` runs this file. It rewrites them and shows the difference, which is read like code.
"""

from pathlib import Path

from beancount import loader
from beancount.parser import printer

from usance.language.provenance import is_generated

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
LEDGERS = {path.stem: path for path in sorted((ROOT / "ledgers").glob("*.beancount"))}
LEDGERS["january"] = ROOT / "ledgers" / "january" / "main.beancount"


def generated(ledger: Path) -> str:
    """Return the directives that Usance adds to a ledger, then a line for each error."""
    entries, errors, _ = loader.load_file(str(ledger))
    added = [printer.format_entry(entry) for entry in entries if is_generated(entry)]
    faults = [
        f"; {Path(error.source['filename']).relative_to(ROOT)}:{error.source['lineno']}: "
        f"{error.message}\n"
        for error in errors
    ]
    return "\n".join([*added, *faults])


def golden(name: str) -> Path:
    return GOLDEN / f"{name}.beancount"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for stale in GOLDEN.iterdir():
        stale.unlink()
    for name, ledger in LEDGERS.items():
        golden(name).write_text(generated(ledger))
