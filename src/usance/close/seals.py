"""Seals: closed days as a chain of digests over the bytes that were posted.

    2025-05-01 custom "day-close" "<digest>"
      previous: "<digest of the day before>"
      inputs: "<digest of the day's lines in the month's .inputs>"
      rules: "1"
      stages: "auto_lending sub_accounts"

A closed day that was corrected has the digest of its new inputs behind the transactions of the day
that corrects it:

    2025-06-01 custom "day-correct" 2025-05-01 "<digest>"

Everything here is bytes in, bytes out; `docs/formulas.md` has the format for a second reader.
"""

import contextlib
import datetime
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RULES = "1"
"""Version of the rules by which days are computed."""

DAY_DOMAIN = "usance-day-close-1"
INPUT_DOMAIN = "usance-input-1"

_SEAL = re.compile(
    rb'^(?P<date>\d{4}-\d\d-\d\d) custom "day-close" "(?P<digest>[^"\n]*)"\n'
    rb'(?P<meta>(?:  [a-z-]+: "(?:[^"\\\n]|\\.)*"\n)*)',
    re.MULTILINE,
)
_MARK = re.compile(rb' custom "day-close" "')
_DATE_LENGTH = len("2025-05-01")
_CORRECTION = re.compile(
    rb'^(\d{4}-\d\d-\d\d) custom "day-correct" (\d{4}-\d\d-\d\d) "([^"\n]*)"$', re.MULTILINE
)
_META = re.compile(rb'  ([a-z-]+): "((?:[^"\\\n]|\\.)*)"\n')


@dataclass(frozen=True, slots=True)
class Seal:
    """The close of a day.

    findings  facts about accounts at that time, one line, or ""
    """

    date: str
    digest: str
    previous: str
    inputs: str
    rules: str
    stages: str
    findings: str

    def text(self) -> str:
        """Return the directive that closes the day."""
        lines = [f'{self.date} custom "day-close" "{self.digest}"']
        for key in ("previous", "inputs", "rules", "stages", "findings"):
            value = getattr(self, key)
            if value or key != "findings":
                lines.append(f'  {key}: "{escaped(value)}"')
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which a chain is broken: file, line, and why."""

    date: str
    file: str
    line: int
    why: str


def digest(fields: Iterable[bytes]) -> str:
    """Return the SHA-256, in hex, over fields that are each preceded by their length."""
    hashed = hashlib.sha256()
    for field in fields:
        hashed.update(len(field).to_bytes(8, "big"))
        hashed.update(field)
    return hashed.hexdigest()


_OF_INPUT = hashlib.sha256(len(INPUT_DOMAIN).to_bytes(8, "big") + INPUT_DOMAIN.encode())


def input_line(date: str, text: str) -> bytes:
    """Return a line of a month's .inputs: date, digest of the text, the text."""
    line = text.encode()
    hashed = _OF_INPUT.copy()  # a digest over the domain and the line
    hashed.update(len(line).to_bytes(8, "big") + line)
    return b"%s %s %s\n" % (date.encode(), hashed.hexdigest().encode(), line)


def inputs_digest(lines: Iterable[bytes]) -> str:
    """Return the SHA-256, in hex, of a day's lines, sorted by bytes."""
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def correction(date: str, corrected: str, inputs: str) -> str:
    """Return the directive, of a day, that gives a closed day before it new inputs."""
    return f'{date} custom "day-correct" {corrected} "{inputs}"\n'


def correcting_line(date: str, line: bytes) -> bytes:
    """Return a line of a corrected day as it stands among those of the day that corrects it."""
    return b"%s for %s" % (date.encode(), line)


def is_correcting(line: bytes, corrected: str = "") -> bool:
    """Tell whether a line is one of a corrected day, or of the corrected day of that date."""
    return line[10:].startswith(f" for {corrected}".encode())


def corrected(line: bytes) -> bytes:
    """Return a line of a corrected day as one of that day's own."""
    return line[15:]


def close(date: str, previous: str, inputs: str, stages: str, findings: str, posted: bytes) -> Seal:
    """Close a day over the bytes posted since the seal before (or the month's start)."""
    sealed = _sealed(date, previous, inputs, RULES, stages, findings, posted)
    return Seal(date, sealed, previous, inputs, RULES, stages, findings)


def walk(
    months: Mapping[str, bytes], inputs: Mapping[str, bytes]
) -> tuple[list[Seal], Broken | None]:
    """Follow the chain over month files, oldest first; stop where it is broken.

    months  bytes of each `YYYY-MM.beancount`, by file name, which may have a folder before it
    inputs  bytes of each `YYYY-MM.inputs`, by file name
    """
    seals: list[Seal] = []
    for name in sorted(months, key=month_of):
        data = months[name]
        beside = f"{month_of(name)}.inputs"
        for file, text in ((name, data), (beside, inputs.get(beside, b""))):
            if _has_other_ends(text):
                ends = "its line ends were changed to CR LF: usance accrue writes LF alone"
                return seals, Broken(seals[-1].date if seals else "", file, 1, ends)
        lines = _lines_by_date(inputs.get(beside, b""))
        end = 0
        for line, posted, match in _closes(data):
            seal = _read(match)
            before = seals[-1] if seals else None
            # A seal that is no longer written as one is not among these. The next seal gives it
            # away, as its day is not the due one. The first bad day is the one that is missing.
            due = _due(seal, before)
            if seal.date != due:
                lost = "its close is missing or has been changed"
                return seals, Broken(due, name, line, lost)
            why = _fault(seal, before, name, posted)
            if why is None and match.group() != seal.text().encode():
                why = "its close has been changed"
            if why is None:
                why = _unlike(seal, posted, lines.get(seal.date, ()))
            if why is not None:
                return seals, Broken(seal.date, name, line, why)
            seals.append(seal)
            end = match.end()
        if data[end:] or end == 0:
            line = data.count(b"\n", 0, end) + 1
            last = seals[-1].date if seals else ""
            return seals, Broken(last, name, line, "the file has text after its last close")
    return seals, None


def month_of(name: str) -> str:
    """Return the month of the name of a file of closed days, which may have a folder before it."""
    return name.rpartition("/")[2][:7]


def stray(inputs: Mapping[str, bytes], chain: Sequence[Seal]) -> Broken | None:
    """Return the first line of .inputs that is of no closed day, and of none to come."""
    closed = {seal.date for seal in chain}
    last = chain[-1].date if chain else ""
    for name, data in sorted(inputs.items()):
        for number, line in enumerate(data.splitlines(), 1):
            date = line[:10].decode("ascii", "replace")
            of_month = _is_date(date, name[:7]) and (date in closed or date > last)
            if not of_month:
                why = "the line belongs to no closed day of this month"
                return Broken(last, name, number, why)
    return None


def _is_date(text: str, month: str) -> bool:
    """Tell whether a text is a date of a month."""
    try:
        return text.startswith(month) and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _has_other_ends(data: bytes) -> bool:
    """Tell whether each line of a file ends in CR LF, as an editor or git may write it."""
    ends = data.count(b"\r\n")
    return bool(ends) and ends == data.count(b"\n")


def days(data: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Yield the last line of each seal of a month file, the day that it closes, and its text."""
    for line, posted, match in _closes(data):
        yield line - 1 + match.group().count(b"\n"), match["date"].decode(), posted


def closes(data: bytes) -> Iterator[Seal]:
    """Yield the seals of a month file, whether they hold or not."""
    return (_read(match) for _, _, match in _closes(data))


def corrections(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the day of each correction in a month file, the day corrected, and its digest."""
    return (
        (date.decode(), of.decode(), digest.decode())
        for date, of, digest in _CORRECTION.findall(data)
    )


def up_to(data: bytes, date: str) -> bytes:
    """Return a month file up to the seal of a day, included."""
    end = 0
    for _, _, match in _closes(data):
        if match["date"].decode() <= date:
            end = match.end()
    return data[:end]


def _closes(data: bytes) -> Iterator[tuple[int, bytes, re.Match[bytes]]]:
    """Yield the seals of a month file, each with its first line and the text before it."""
    line, end = 1, 0
    for mark in _MARK.finditer(data):
        match = _SEAL.match(data, max(0, mark.start() - _DATE_LENGTH))
        if match is not None:
            posted = data[end : match.start()]
            line += posted.count(b"\n")
            yield line, posted, match
            line, end = line + match.group().count(b"\n"), match.end()


def _due(seal: Seal, before: Seal | None) -> str:
    """Return the day after the one closed before, or the seal's own if it is not later."""
    if before is not None and seal.date > before.date:
        with contextlib.suppress(ValueError, OverflowError):
            due = datetime.date.fromisoformat(before.date) + datetime.timedelta(days=1)
            return due.isoformat()
    return seal.date


def _unlike(seal: Seal, posted: bytes, lines: Collection[bytes]) -> str | None:
    """Return how a day's .inputs differ from those that were sealed, or None."""
    if seal.inputs != inputs_digest(lines):
        return "the month's .inputs file does not match the seal of the day"
    corrections = _CORRECTION.findall(posted) if b'"day-correct"' in posted else ()
    for date, of, digest in corrections:
        given = (corrected(line) for line in lines if is_correcting(line, of.decode()))
        if date.decode() != seal.date or of.decode() >= seal.date:
            return "a day-correct has another date, or does not correct an earlier day"
        if inputs_digest(given).encode() != digest:
            return "a day-correct does not match the month's .inputs file"
    return None


def _fault(seal: Seal, before: Seal | None, name: str, posted: bytes) -> str | None:
    """Return the fault of a seal, or None."""
    if month_of(name) != seal.date[:7]:
        return "the day does not belong to this month"
    if before is not None and seal.date <= before.date:
        return "the day is not later than the day closed before it"
    if seal.previous != (before.digest if before is not None else ""):
        return "its close does not name the digest of the day closed before it"
    sealed = _sealed(
        seal.date, seal.previous, seal.inputs, seal.rules, seal.stages, seal.findings, posted
    )
    return None if sealed == seal.digest else "the posted text does not match the seal"


def _sealed(
    date: str, previous: str, inputs: str, rules: str, stages: str, findings: str, posted: bytes
) -> str:
    texts = (DAY_DOMAIN, date, previous, inputs, rules, stages, findings)
    return digest([*(text.encode() for text in texts), posted])


def _read(match: re.Match[bytes]) -> Seal:
    meta = {key.decode(): unescaped(value) for key, value in _META.findall(match["meta"])}
    return Seal(
        match["date"].decode(),
        match["digest"].decode("utf-8", "replace"),
        *(meta.get(key, "") for key in ("previous", "inputs", "rules", "stages", "findings")),
    )


def _lines_by_date(data: bytes) -> dict[str, list[bytes]]:
    lines: dict[str, list[bytes]] = {}
    for line in data.splitlines(keepends=True):
        lines.setdefault(line[:10].decode("ascii", "replace"), []).append(line)
    return lines


def lines_of(data: bytes, last: str) -> Iterator[bytes]:
    """Yield the lines of an .inputs file up to a date, included; later lines do not count."""
    for line in data.splitlines(keepends=True):
        if line[:10].decode("ascii", "replace") <= last:
            yield line


def escaped(text: str) -> str:
    """Return a text as it stands in the quotes of a seal."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def unescaped(data: bytes) -> str:
    """Return the text that stands in the quotes of a seal."""
    return re.sub(rb"\\(.)", rb"\1", data).decode("utf-8", "replace")
