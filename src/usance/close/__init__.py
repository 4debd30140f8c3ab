"""Closed days: sealed, verified, restored, compared with their inputs, corrected.

It imports `model`, `language`, `engine` and `ledger`. It never imports `reports`, `explain`, click
or fava.
"""
