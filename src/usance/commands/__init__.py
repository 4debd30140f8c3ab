"""The commands of the shell, one file each. They ask and show, and compute nothing.

They import all packages but `rules` and `treasury`. They never import fava, except in
`commands.fava`, when that command runs.
"""
