"""Reader: how a venue is asked, whatever library asks it, and how asking may fail."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """What a venue said: the text of the body, and the headers by their names in lower case."""

    text: str
    headers: Mapping[str, str]


class Reader(Protocol):
    """Reads one account of a venue, or what the venue says to everybody."""

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        """Return the answer to a GET; NoAnswerError or BadStatusError if there is none.

        path  such as /api/v1/markets
        """


class NoAnswerError(Exception):
    """No connection, or one that ended before the answer did."""


class UnreadableError(Exception):
    """An answer that is no UTF-8, no JSON, or shorter than announced."""


class BadStatusError(Exception):
    """An answer with another status than 200.

    says     what the venue says of it, without anything that could be a key
    headers  by their names in lower case
    """

    def __init__(self, status: int, says: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {says}".strip())
        self.status = status
        self.says = says
        self.headers = headers
