"""Closed days: sealed, verified, restored, compared with their inputs, corrected.

It imports `model`, `rules`, `language`, `engine` and `ledger`. It never imports `reports`,
`explain`, click or fava.
"""
