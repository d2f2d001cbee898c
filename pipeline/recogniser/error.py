"""What is said of a recogniser that cannot be used."""


class RecogniserError(ValueError):
    """Report a recogniser, or what it is given, that cannot be used: one sentence on what would be right."""
