"""The error for a person at the command line."""


class Misused(Exception):
    """What was asked for cannot be done; the message says why, and what to do instead."""
