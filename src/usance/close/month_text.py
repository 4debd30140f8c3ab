"""Month text: the text that `usance accrue` writes between two seals, as a pattern of a directive.

It answers quickly for nearly every day. A text that it does not match may be right as well, such as
one with lots, options, or accounts in other scripts; Beancount's parser decides that.
"""

import datetime
import re

# No possessive quantifier and no atomic group: Python 3.11.0 to 3.11.4 match them wrongly (CPython
# gh-100061 and gh-106052). After a repeat fails, the match goes on in the middle of it: a posting
# was not ours there, and a line "  filename:" was. Greedy repeats do here: each byte allows one way
# to go on, so a match that fails gives back each repeat once, in linear time.
_TEXT = rb'"[^"\\\x00-\x1f\x7f]*"'
_ACCOUNT = rb"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+"
_NUMBER = rb"-?\d{1,60}(?:\.\d{1,60})?"
_COMMODITY = rb"(?!NULL|TRUE|FALSE)[A-Z](?:[A-Z0-9'._-]{0,22}[A-Z0-9])?"


def _metadata(indent: bytes, key: int) -> bytes:
    """Return the pattern of lines of metadata, no key twice; `key` is the number of its group.

    A proof has fewer than 30. Each line looks for its key in those behind it: the bound keeps the
    time linear.
    """
    line = rb"%b((?!filename:|lineno:)[a-z][a-z-]+: )%b\n" % (indent, _TEXT)
    again = rb"(?:%b[a-z].*\n){0,30}?%b\%d" % (indent, indent, key)
    return rb"(?:%b(?!%b)){0,30}" % (line, again)


_HEAD = rb"\* %b(?: #[a-z-]+)*(?: \^[a-z0-9-]+)*\n%b" % (_TEXT, _metadata(b"  ", 2))
_LEG = rb"  %b +%b %b\n%b" % (_ACCOUNT, _NUMBER, _COMMODITY, _metadata(b"    ", 3))
_PART = re.compile(
    rb"(?:;[^\n\x00-\x1f]*)?\n+|(\d{4}-\d\d-\d\d) (?:open %b\n|%b(?:%b)*)\n*"
    % (_ACCOUNT, _HEAD, _LEG)
)
"""A comment or nothing, or a directive, with the empty lines behind it."""


def is_ours(text: bytes, date: str) -> bool:
    """Tell whether `usance accrue` surely writes such a text of a day; False tells nothing."""
    try:
        datetime.date.fromisoformat(date)
        text.decode()
    except ValueError:
        return False
    end, dates = 0, (None, date.encode())
    while (part := _PART.match(text, end)) and part[1] in dates:
        end = part.end()
    return end == len(text)
