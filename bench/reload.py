"""Load a ledger in Fava, and again as each save does; print the processor time of the second load.

    python bench/reload.py LEDGER [--plain]

With `--plain` Fava's own ledger loads it, else that of `usance fava`.
"""

import argparse
import time
from pathlib import Path

from fava.core import FavaLedger

from usance.fava import server


def main() -> None:
    """Load twice."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--plain", action="store_true")
    wanted = parser.parse_args()
    if wanted.plain:
        ledger = FavaLedger(str(wanted.ledger))
    else:
        app = server.application(wanted.ledger, read_write=False)
        ledger = app.config["LEDGERS"].ledgers[0]
    began = time.process_time()
    ledger.load_file()
    print(time.process_time() - began)
    assert not ledger.errors


main()
