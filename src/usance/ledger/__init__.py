"""A ledger and its folder: loaded, lived again, written as directives, its files replaced whole.

It imports `model`, `language` and `engine`. It never imports `close`, `reports`, `explain`, click
or fava.
"""
