"""Backpack: the shapes of its answers, its symbols, its posting map, its parameters as terms."""
