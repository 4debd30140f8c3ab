"""Rows and figures for every view, and the table for bean-query.

Its modules import `model`, `rules`, `treasury`, `language`, `engine`, `ledger` and `close`, since
reports show closed days as they are posted. They never import `explain`, click or fava.
"""
