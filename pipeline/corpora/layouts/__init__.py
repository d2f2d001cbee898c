"""One file or several per layout on disk; `known` is the table of all."""
