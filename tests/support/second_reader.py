"""A second reader of closed days: section 4 of the ledger language, and none of our code.

It takes the files line by line, as a stranger with the page and a SHA-256 would.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

SEAL = re.compile(r'(\d{4}-\d\d-\d\d) custom "day-close" "(.*)"')
META = re.compile(r'  ([a-z]+): "(.*)"')
KEYS = ("previous", "inputs", "rules", "stages", "findings")


@dataclass
class Seal:
    """The close of a day as it is written, and the line on which it begins."""

    date: str
    digest: str
    line: int
    meta: dict[str, str] = field(default_factory=dict)


@dataclass
class Tampered(Exception):  # noqa: N818 -- it says what happened, not that we failed
    """Closed days are not what they were."""

    date: str
    file: str
    line: int
    why: str


def head(folder: Path) -> str:
    """Return the digest of the last closed day, "" where none is; Tampered where one is broken."""
    previous = date = ""
    names = [path.name for path in folder.iterdir() if path.suffix == ".beancount"]
    for name in sorted(name for name in names if re.fullmatch(r"\d{4}-\d\d\.beancount", name)):
        inputs = folder / name.replace(".beancount", ".inputs")
        written = inputs.read_bytes() if inputs.exists() else b""
        rest, line = (folder / name).read_bytes(), 1
        while rest:
            posted, seal, after = cut(rest, name, line)
            if seal is None:
                raise Tampered(date, name, line, "text behind the last seal")
            if seal.date <= date or seal.date[:7] != name[:7]:
                raise Tampered(seal.date, name, seal.line, "a day out of order")
            if seal.meta["previous"] != previous:
                raise Tampered(seal.date, name, seal.line, "previous")
            if seal.meta["inputs"] != digest_of_inputs(written, seal.date):
                raise Tampered(seal.date, name, seal.line, "inputs")
            for corrected, digest in corrections(posted, seal.date):
                if digest != digest_of_inputs(written, corrected, f"{seal.date} for "):
                    raise Tampered(seal.date, name, seal.line, "day-correct")
            if seal.digest != digest_of_day(seal, posted):
                raise Tampered(seal.date, name, seal.line, "digest")
            previous, date = seal.digest, seal.date
            line += rest.count(b"\n") - after.count(b"\n")
            rest = after
    return previous


def cut(data: bytes, name: str, first: int) -> tuple[bytes, Seal | None, bytes]:
    """Return the bytes before the next seal, the seal, and the bytes behind it."""
    lines = lines_of(data)
    for number, line in enumerate(lines):
        found = SEAL.fullmatch(text(line))
        if found is None or not data.endswith(b"\n"):
            continue
        seal = Seal(found[1], found[2], first + number)
        end = number + 1
        while end < len(lines) and lines[end].startswith(b"  "):
            pair = META.fullmatch(text(lines[end]))
            if pair is None or pair[1] not in KEYS[len(seal.meta) :]:
                raise Tampered(seal.date, name, seal.line, "metadata that have no place here")
            seal.meta[pair[1]] = re.sub(r'\\(["\\])', r"\1", pair[2])
            end += 1
        if tuple(seal.meta) not in (KEYS, KEYS[:-1]):
            raise Tampered(seal.date, name, seal.line, "metadata of the seal are missing")
        return b"".join(lines[:number]), seal, b"".join(lines[end:])
    return data, None, b""


def lines_of(data: bytes) -> list[bytes]:
    """Return lines, each with the newline that ends it."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def text(line: bytes) -> str:
    return line.removesuffix(b"\n").decode()


def corrections(posted: bytes, date: str) -> list[tuple[str, str]]:
    """Return the days that a day corrects, with the digests that it gives them."""
    return re.findall(rf'^{date} custom "day-correct" (\S+) "(.*)"$', text(posted), re.MULTILINE)


def digest_of_inputs(written: bytes, date: str, given_by: str = "") -> str:
    """Return the SHA-256 of the lines of a day, sorted by bytes, without what gave them to it."""
    begin = f"{given_by}{date}".encode()
    lines = [
        line.removeprefix(given_by.encode()) for line in lines_of(written) if line.startswith(begin)
    ]
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def digest_of_day(seal: Seal, posted: bytes) -> str:
    """Return the SHA-256 over the fields of a day, each behind its length in eight bytes."""
    values = [seal.meta.get(key, "") for key in KEYS]
    fields = [text.encode() for text in ("usance-day-close-1", seal.date, *values)] + [posted]
    counted = b"".join(len(value).to_bytes(8, "big") + value for value in fields)
    return hashlib.sha256(counted).hexdigest()
