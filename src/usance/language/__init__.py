"""Beancount directives and rates files, read into a `Book` with every fault found on the way.

It imports `model` and `rules`. It never imports `engine`, `ledger`, `close`, click or fava.
"""
