"""From a venue to ledger text and back: downloads, import, snapshots, reconciliation, fetch.

It imports `model`, `rules`, `language`, `engine`, `ledger`, `reports` and `venues`. It never
imports `close`, `explain`, click or fava; the network is known to `ccxt_reader` alone.
"""
