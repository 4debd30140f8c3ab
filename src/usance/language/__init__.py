"""Beancount directives and rates files, read into a `Book`, with every fault in them.

It imports `model` and `rules`. It never imports `engine`, `ledger`, `close`, click or fava.
"""
