"""A `Book` and the state of an evening in, days out; one file a stage, named as its plugin line.

It imports `model` and `rules`. It never knows beancount, the language, files or a clock.
"""
