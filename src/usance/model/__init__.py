"""The nouns: amounts, hours, accounts, terms, movements, the `Book`, and every error text.

They are plain frozen data. The modules import nothing of Usance outside this package, and never
beancount, click or fava; they read no files and no clock.
"""
