"""What the books cannot be asked."""

from usance.ledger.errors import told_of
from usance.model.problems import Problem


class QuestionError(ValueError):
    """What the books cannot be asked: a name that is not there, a period without a day.

    about  the argument that is wrong, by its name in JSON, or ""
    why    what is wrong with it, and what to write instead
    """

    def __init__(self, about: str, why: str) -> None:
        super().__init__(f"{about} {why}".lstrip())
        self.about = about
        self.why = why


class NoDayYetError(QuestionError):
    """A question about the days of books in which no transaction stands yet."""

    def __init__(self) -> None:
        super().__init__("", "No transaction stands in these books yet: there is nothing to show.")


class NoCurrencyError(QuestionError):
    """A question about values in books without an operating currency."""

    def __init__(self, problem: Problem) -> None:
        super().__init__("", str(told_of(problem)))
        self.problem = problem


class UnreadDaysError(QuestionError):
    """A question about days of compacted months whose text is not the one that was compacted."""

    def __init__(self, problem: Problem) -> None:
        super().__init__("", str(told_of(problem)))
