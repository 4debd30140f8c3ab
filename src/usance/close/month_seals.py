"""Month seals: the close of a compacted month, over its sums, its last day and its daily text.

    2025-05-31 custom "month-close" "<digest>"
      since: "2025-05-01"
      head: "<digest of the seal of the last day>"
      daily: "<SHA-256 of posted/daily/2025-05.beancount>"
      inputs: "<digest of the lines of the month's days in its .inputs>"
      rules: "1"
      stages: "auto_lending sub_accounts"

Everything here is bytes in, bytes out; `docs/formulas.md` has the format for a second reader.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from usance.close import seals
from usance.close.seals import Seal, escaped, unescaped
from usance.language.provenance import POSTED

MONTH_DOMAIN = "usance-month-close-1"

KEYS = ("since", "head", "daily", "inputs", "rules", "stages", "findings")

_SEAL = re.compile(
    rb'(?P<date>\d{4}-\d\d-\d\d) custom "month-close" "(?P<digest>[^"\n]*)"\n'
    rb'(?P<meta>(?:  [a-z]+: "(?:[^"\\\n]|\\.)*"\n)+)\Z',
)
_META = re.compile(rb'  ([a-z]+): "((?:[^"\\\n]|\\.)*)"\n')


@dataclass(frozen=True, slots=True)
class MonthSeal:
    """The close of a compacted month.

    date, since  last and first closed day of the month
    head         digest of the seal of the last day
    daily        digest of the file of the days
    inputs       digest of the lines of the days, of those that correct others none
    findings     of all days, one line, or ""
    """

    date: str
    digest: str
    since: str
    head: str
    daily: str
    inputs: str
    rules: str
    stages: str
    findings: str

    def text(self) -> str:
        """Return the directive that closes the month."""
        lines = [f'{self.date} custom "month-close" "{self.digest}"']
        for key in KEYS:
            value = getattr(self, key)
            if value or key != "findings":
                lines.append(f'  {key}: "{escaped(value)}"')
        return "\n".join(lines) + "\n"


def close(days: Sequence[Seal], daily: bytes, inputs: Iterable[bytes], sums: bytes) -> MonthSeal:
    """Close a month over its sums.

    days    their seals, all with the same rules and stages
    daily   bytes of their file
    inputs  lines of the month's .inputs
    """
    last = days[-1]
    fields = {
        "date": last.date,
        "since": days[0].date,
        "head": last.digest,
        "daily": hashlib.sha256(daily).hexdigest(),
        "inputs": inputs_digest(inputs),
        "rules": last.rules,
        "stages": last.stages,
        "findings": "; ".join(dict.fromkeys(day.findings for day in days if day.findings)),
    }
    return MonthSeal(digest=_sealed(fields, sums), **fields)


def inputs_digest(lines: Iterable[bytes]) -> str:
    """Return the digest of the lines of a month's days; those of corrected days do not count."""
    return seals.inputs_digest(line for line in lines if not seals.is_correcting(line))


def read(data: bytes) -> tuple[MonthSeal, bytes] | None:
    """Return the seal of a compacted month, and the text before it; None of any other text."""
    mark = data.rfind(b' custom "month-close" "')
    match = _SEAL.match(data, mark - len("2025-05-31")) if mark > 0 else None
    if match is None:
        return None
    meta = {key.decode(): unescaped(value) for key, value in _META.findall(match["meta"])}
    date, digest = match["date"].decode(), match["digest"].decode("utf-8", "replace")
    seal = MonthSeal(date, digest, *(meta.get(key, "") for key in KEYS))
    return seal, data[: match.start()]


def lost(name: str) -> str:
    """Return what to say of a compacted month whose days, a file of this name, are missing."""
    return f"the month is compacted, and {POSTED}/{name}, the file of its days, is missing"


def fault(data: bytes, daily: bytes, days: Sequence[Seal], inputs: Iterable[bytes]) -> str | None:
    """Return the fault of the close of a compacted month, or None.

    data    of its file
    daily   of the file of its days, whose seals hold
    days    those seals
    inputs  lines of its .inputs
    """
    found = read(data)
    if found is None or not days:
        return "the month has no close"
    seal, sums = found
    due = close(days, daily, inputs, sums)
    if seal == due and data == sums + due.text().encode():
        return None
    for key in ("date", "since", "head", "daily", "inputs", "rules", "stages", "findings"):
        if getattr(seal, key) != getattr(due, key):
            return f"the close of the month has other days: its {key} is not theirs"
    return "the posted text does not match the close of the month"


def _sealed(fields: dict[str, str], sums: bytes) -> str:
    texts = (MONTH_DOMAIN, fields["date"], *(fields[key] for key in KEYS))
    return seals.digest([*(text.encode() for text in texts), sums])
