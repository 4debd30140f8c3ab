"""One generated transaction, computed again step by step.

It imports `model`, `rules`, `language`, `engine`, `ledger` and `close`. It never imports `reports`,
click or fava.
"""
