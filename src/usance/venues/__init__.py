"""What a venue says: its rows, read strictly, and the drafts of ledger text that they become.

It imports `model` alone. It never knows beancount, files, a network or a clock.
"""
