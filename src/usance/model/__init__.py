"""The nouns: amounts, hours, accounts, terms, movements, the `Book`, and every error text.

They are plain frozen data, and import nothing of Usance. They never import beancount, click, fava,
files or a clock.
"""
