"""The commands of the shell, one file each. They print answers of other packages, and compute none.

They share `options`, `messages`, `tables` and `what_if`. They import all packages but `rules` and
`treasury`. They never import fava, except in `commands.fava`, when that command runs.
"""
