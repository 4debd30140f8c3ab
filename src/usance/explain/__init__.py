"""One generated transaction, explained: Usance computes it again, step by step.

The package imports `model`, `rules`, `language`, `engine`, `ledger` and `close`. It never imports
`reports`, click or fava.
"""
