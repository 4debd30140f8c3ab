"""Month text: what `usance accrue` writes between two seals, as one pattern.

It answers quickly for nearly every day. What it does not match may be right as well, such as lots,
options, and accounts in other scripts; Beancount's parser decides that.
"""

import contextlib
import datetime
import re

_TEXT = rb'"[^"\\\x00-\x1f\x7f]*+"'
_ACCOUNT = rb"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*+)++"
_NUMBER = rb"-?\d{1,60}(?:\.\d{1,60})?+"
_COMMODITY = rb"(?!NULL|TRUE|FALSE)[A-Z](?:[A-Z0-9'._-]{0,22}[A-Z0-9])?"
_META = rb"(?!filename:|lineno:)[a-z][a-z-]++: " + _TEXT + rb"\n"


def _metadata(indent: bytes, group: int) -> bytes:
    """Return the pattern of lines of metadata, no key twice; `group` is the number of its key."""
    again = rb"(?!(?:%b%b)*?%b\%d: )" % (indent, _META, indent, group)
    return rb"(?:%b(?=([a-z-]++))%b%b)*+" % (indent, _META, again)


_OPEN = rb"\1 open %b\n" % _ACCOUNT
_HEAD = rb"\1 \* %b(?: #[a-z-]++)*+(?: \^[a-z0-9-]++)*+\n%b" % (_TEXT, _metadata(b"  ", 2))
_LEG = rb"  %b ++%b %b\n%b" % (_ACCOUNT, _NUMBER, _COMMODITY, _metadata(b"    ", 3))
_DAY = re.compile(
    rb"(?:;[^\n\x00-\x1f]*+\n|\n)*+"
    rb"(?:(?=(\d{4}-\d\d-\d\d) )(?:\n|%b|%b(?:%b)*+)*+)?+" % (_OPEN, _HEAD, _LEG)
)


def is_ours(text: bytes, date: str) -> bool:
    """Tell whether the text of a day is surely what `usance accrue` writes; False tells nothing."""
    with contextlib.suppress(ValueError):
        datetime.date.fromisoformat(date)
        text.decode()
        match = _DAY.fullmatch(text)
        return match is not None and match[1] in (None, date.encode())
    return False
