"""The one exception that bad input raises."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that says what is wrong, where, and what to do; commands print it without a traceback
    and exit with status 2.
    """
