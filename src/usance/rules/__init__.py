"""The arithmetic of docs/formulas.md: numbers and terms in, numbers out.

A rule imports `model` alone. It never knows beancount, files, a clock, or the state of an account.
"""
