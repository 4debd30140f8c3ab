"""Queries: the query page of Fava, which runs only statements of the query language.

Fava gives the text to beanquery's shell, whose commands also write files, read files and change the
shell for all other readers. And if a statement failed in an unforeseen way, the page would show no
reason.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import beanquery
from beanquery import Cursor
from beanquery.parser import ast
from beanquery.shell import FORMATS
from fava.beans.abc import Directive
from fava.core import FavaLedger
from fava.core.query import QueryResultTable, QueryResultText
from fava.core.query_shell import FavaBQLShell, QueryShell
from fava.helpers import FavaAPIError
from fava.json_api import FavaJSONAPIError

from usance.fava.limits import TooLongError, limited_query

STATEMENTS = (ast.Select, ast.Journal, ast.Balances, ast.Print)
"""Statements that read the ledger. CREATE TABLE opens files, and INSERT has no table to fill."""

STORED = re.compile(r"""run\s+(["']?)(.+?)\1[;\s]*""", re.IGNORECASE)
"""The form in which Fava's help asks for a query that the ledger has."""


class QueryError(FavaJSONAPIError):
    """An error that says why a query has no answer; Fava's pages show it."""

    status = HTTPStatus.BAD_REQUEST


class Statements(FavaBQLShell):
    """A shell that runs one statement, without the state of an earlier one."""

    def run(self, entries: Sequence[Directive], query: str) -> Cursor | str:
        """Return the rows of a statement, or the text of PRINT."""
        stored = STORED.fullmatch(query.strip())
        if stored is not None:
            query = self._stored(stored[2])
        if not query.strip():
            raise QueryError("Write a statement, such as: SELECT sum(position) GROUP BY account")
        of = self.ledger
        books = beanquery.connect(
            "beancount:", entries=entries, errors=of.errors, options=of.options
        )
        statement = books.parse(query)
        if not isinstance(statement, STATEMENTS):
            raise QueryError("Only SELECT, BALANCES, JOURNAL and PRINT run here.")
        cursor = books.execute(statement)
        if not isinstance(statement, ast.Print):
            return cursor
        text = io.StringIO()
        FORMATS["beancount"](
            cursor.description, cursor.fetchall(), text, dcontext=of.options["dcontext"]
        )
        return text.getvalue()

    def _stored(self, name: str) -> str:
        """Return the text of a query that the ledger has, by its name."""
        for query in self.ledger.all_entries_by_type.Query:
            if query.name == name:
                return query.query_string
        raise QueryError(f'The ledger has no query "{name}".')


class Queries(QueryShell):
    """The queries of Fava's pages; a query without an answer, for any reason, is a QueryError."""

    def __init__(self, ledger: FavaLedger) -> None:
        super().__init__(ledger)
        self.shell = Statements(ledger)

    def execute_query_serialised(
        self, entries: Sequence[Directive], query: str
    ) -> QueryResultTable | QueryResultText:
        """Return the answer for the query page."""
        with _explained(), limited_query():
            return super().execute_query_serialised(entries, query)

    def query_to_file(
        self, entries: Sequence[Directive], query_string: str, result_format: str
    ) -> tuple[str, io.BytesIO]:
        """Return the name and the content of the file of a download."""
        with _explained(), limited_query():
            return super().query_to_file(entries, query_string, result_format)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn each error that stops a query into a QueryError."""
    try:
        yield
    except (QueryError, TooLongError):
        raise
    except beanquery.ParseError as error:
        place = error.parseinfo
        rest = place.tokenizer.text[place.pos :].strip()
        raise QueryError(
            f'No statement of the query language goes on with "{rest}". Commands of the shell of '
            "bean-query, such as .output, do not run here."
        ) from error
    except beanquery.Error as error:
        raise QueryError(f"The query cannot run: {error}.") from error
    except FavaAPIError as error:
        raise QueryError(error.message) from error
    except Exception as error:  # a statement computes with any data of the ledger
        raise QueryError(f"The query stopped: {error or type(error).__name__}.") from error
