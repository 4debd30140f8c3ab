"""Load a ledger in a process of its own; print the times of the load, and what it held, as JSON.

    python bench/load.py LEDGER [--plugin MODULE] [--print] [--text FILE]

seconds  of loader.load_file, imports not counted: the plugin's module is imported before
own      of them, inside the plugin function
after    of them, from the end of the plugin function to the end of the load: sort, pad, balance,
         validate
process  of the whole process so far, imports included

All in processor time, so that other work on the machine counts less. `--print` writes the generated
transactions to standard output instead of the times, `--text` all entries to a file that loads to
the same entries without the plugin.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import books
from beancount import loader
from beancount.core.data import Transaction
from beancount.parser import printer

PRINT: Callable[..., None] = printer.print_entries


class Clock:
    """When the plugin function began and ended, and for how long it ran in all."""

    def __init__(self) -> None:
        self.own = 0.0
        self.ended = 0.0

    def watch(self, name: str) -> None:
        """Import a plugin's module and put this clock around its functions."""
        module: Any = importlib.import_module(name)
        for function in module.__plugins__:
            setattr(module, function, self.timed(getattr(module, function)))

    def timed(self, function: Callable[..., object]) -> Callable[..., object]:
        """Return the function with this clock around it."""

        def around(*arguments: object) -> object:
            began = time.process_time()
            answer = function(*arguments)
            self.ended = time.process_time()
            self.own += self.ended - began
            return answer

        return around


def main() -> None:
    """Load, then write what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ledger")
    parser.add_argument("--plugin")
    parser.add_argument("--print", action="store_true", dest="printing")
    parser.add_argument("--text", type=Path)
    wanted = parser.parse_args()
    clock = Clock()
    if wanted.plugin:
        clock.watch(wanted.plugin)
    began = time.process_time()
    entries, errors, _ = loader.load_file(wanted.ledger, log_errors=sys.stderr)
    ended = time.process_time()
    if errors:
        sys.exit(f"{wanted.ledger}: {len(errors)} errors")
    if wanted.text:
        with wanted.text.open("w") as file:
            file.write(books.HEADER)
            PRINT(entries, file=file)
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    if wanted.printing:
        PRINT([entry for entry in transactions if "usance" in entry.tags])
        return
    figures = {
        "seconds": ended - began,
        "own": clock.own,
        "after": ended - clock.ended if clock.ended else None,
        "process": time.process_time(),
        "entries": len(entries),
        "generated": sum("usance" in entry.tags for entry in transactions),
        "postings": sum(len(entry.postings) for entry in transactions),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
