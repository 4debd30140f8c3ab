"""Importers for beangulp and for Fava's import page: a file of a venue as directives.

It imports `model`, `venues`, Beancount and beangulp. It never imports the rest: the command `usance
import` does without it.
"""

from usance.importers.backpack import Backpack

__all__ = ["Backpack"]
