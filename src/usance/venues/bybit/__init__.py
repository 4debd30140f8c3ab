"""Bybit: the transaction log of a unified account, from the files that a person downloads."""
