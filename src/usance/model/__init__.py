"""The nouns: amounts, hours, accounts, terms, movements, the `Book`, and every error text.

They are plain frozen data, and import nothing of Usance outside this package. They never import
beancount, click or fava, and never read files or a clock.
"""
