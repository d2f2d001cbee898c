"""What is said of a recogniser that cannot be used."""


class RecogniserError(ValueError):
    """Report a recogniser, or what it is given, that cannot be used: one sentence on what would be right.

    Words of a folder that anybody may have made stand in it, so it is one line without control characters:
    those would say other things on a terminal.
    """

    def __init__(self, sentence: str) -> None:
        """Take the sentence; what cannot be printed in it becomes blanks."""
        super().__init__("".join(sign if sign.isprintable() else " " for sign in sentence))
