"""Rows and figures for every view, and the table for bean-query.

Its modules import `model`, `rules`, `treasury`, `language`, `engine` and `ledger`. They never
import `close`, `explain`, click or fava.
"""
