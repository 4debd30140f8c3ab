"""The books of a global margin account: one wallet, put to work in many ways at once."""

__version__ = "0.1.0"
