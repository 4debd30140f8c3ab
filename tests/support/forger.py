"""A forger: someone who alters closed days and rewrites every seal."""

import re

import second_reader
from folders import Folder

from usance.close import seals


def resealed(folder: Folder, old: str = "", new: str = "", rules: str = seals.RULES) -> str:
    """Alter posted text, seal every day again, and return the digest of the last one."""
    previous = ""
    for path in sorted((folder.path / "posted").glob("2*.beancount")):
        text = path.read_text()
        made, end = "", 0
        for match in re.finditer(r'(?m)^(\S+) custom "day-close" ".*\n((?:  .*\n)*)', text):
            meta = dict(re.findall(r'  (\S+): "(.*)"\n', match[2]))
            posted = text[end : match.start()].replace(old or "\0", new)
            fields = (match[1], previous, meta["inputs"], rules, meta["stages"], "")
            digest = seals.digest(
                [b"usance-day-close-1", *(field.encode() for field in fields), posted.encode()]
            )
            seal = seals.Seal(match[1], digest, previous, *fields[2:])
            made += posted + seal.text()
            previous, end = digest, match.end()
        path.write_text(made)
    assert second_reader.head(folder.path / "posted") == previous
    return previous
