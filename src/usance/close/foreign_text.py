"""Foreign text: closed days that others may have written, read where a crash does no harm.

Some text crashes Beancount's parser, and some makes it run for long. So a process of its own reads
it, within limits of time and memory: `python -m usance.close.foreign_text` takes texts, and answers
each with its fault.
"""

import bisect
import datetime
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

from beancount.core.data import Custom, Directive, Open, Transaction
from beancount.parser import parser

from usance.close.seals import Broken
from usance.language.provenance import DAY_CLOSE, DAY_CORRECT

SECONDS = 60
"""Of computing, for all texts; a month of 1,000 sub-accounts takes a few."""

MEMORY = 4 * 2**30
"""Bytes."""

_OPTION = re.compile(rb'^option\s+"(?!name_)', re.MULTILINE)
"""An option that is no name of a root account."""

Closes = Sequence[tuple[int, str]]
"""Last line and day of each seal of a text, in order."""

Text = tuple[str, bytes, Closes]
"""The name of a month file, its text, and its closes."""


def first_fault(texts: Sequence[Text]) -> Broken | None:
    """Return the first text that `usance accrue` does not write, or None."""
    answers, alive = _answers(texts)
    for answer in answers:
        if answer is not None:
            return answer
    if alive:
        return None
    name, data, closes = texts[len(answers)]
    return _crash(name, data, closes)


def _crash(name: str, data: bytes, closes: Closes) -> Broken:
    """Return the day of a month at which the reading process ends."""
    lines, begin = data.splitlines(keepends=True), 0
    for end, day in closes:
        part = b"".join(lines[begin:end])
        if not _answers([(name, part, [(end - begin, day)])])[1]:
            return Broken(day, name, begin + 1, "Beancount's parser stops or runs too long on it")
        begin = end
    return Broken(closes[0][1], name, 1, "Beancount's parser stops or runs too long on it")


def _answers(texts: Sequence[Text]) -> tuple[list[Broken | None], bool]:
    """Return the answers of a process that reads texts, and whether it lived to the end."""
    # -P: no module of the folder in which a person stands is ever run.
    command = [sys.executable, "-P", "-m", "usance.close.foreign_text"]
    asked = b"".join(
        b"%s\n%s" % (json.dumps([name, len(data), list(closes)]).encode(), data)
        for name, data, closes in texts
    )
    try:
        done = subprocess.run(  # noqa: S603 -- this interpreter, and this module
            command, input=asked, capture_output=True, timeout=2 * SECONDS, check=False
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, output = 1, late.stdout or b""
    answers = [
        None if fields is None else Broken(*fields)
        for fields in map(json.loads, output.splitlines())
    ]
    return answers, code == 0 and len(answers) == len(texts)


def fault(name: str, data: bytes, closes: Closes) -> Broken | None:
    """Return the first directive that is not ours, or not of its day; for one process alone."""
    entries, errors, options = parser.parse_string(data, report_filename=name)
    if errors:
        line = errors[0].source.get("lineno", 1)
        return Broken(day_at(closes, line), name, line, "Beancount cannot read it")
    if options["plugin"] or options["include"]:
        why = "the file names a plugin or an included file, which usance accrue never does"
        return Broken(closes[0][1], name, 1, why)
    if option := _OPTION.search(data):
        line = data.count(b"\n", 0, option.start()) + 1
        return Broken(day_at(closes, line), name, line, "usance accrue never writes this option")
    for entry in entries:
        line = entry.meta["lineno"]
        day = day_at(closes, line)
        if entry.date.isoformat() != day:
            return Broken(day, name, line, "it contains a directive of another day")
        if not _is_ours(entry):
            return Broken(day, name, line, "usance accrue never writes this directive")
    return None


def _is_ours(entry: Directive) -> bool:
    """Tell whether a directive has a form that `usance accrue` writes."""
    match entry:
        case Custom(type=kind):
            types = [type(value) for value, _ in entry.values or ()]
            return types == {DAY_CLOSE: [str], DAY_CORRECT: [datetime.date, str]}.get(kind)
        case _:
            return isinstance(entry, Open | Transaction)


def day_at(closes: Closes, line: int) -> str:
    """Return the day whose sealed text has a line of a month file."""
    return closes[min(bisect.bisect_left(closes, (line, "")), len(closes) - 1)][1]


def _limit() -> None:
    """Bound the time and memory of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 -- Unix alone has it
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def main(source: IO[bytes], answer: IO[str]) -> None:
    """Answer each text of a stream with a line: null, or its fault."""
    _limit()
    for head in source:
        name, size, closes = json.loads(head)
        data = source.read(size)
        broken = fault(name, data, [(line, day) for line, day in closes])
        fields = None if broken is None else [broken.date, broken.file, broken.line, broken.why]
        answer.write(json.dumps(fields) + "\n")
        answer.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout)
