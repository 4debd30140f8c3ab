"""One generated transaction, explained: Usance computes it again, step by step.

The package imports `model`, `rules`, `language`, `engine`, `ledger` and `close`, and of `reports`
how figures become text. It never imports click or fava.
"""
