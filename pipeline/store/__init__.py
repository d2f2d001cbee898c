"""Finished units and the tables made of them: content-addressed, packed, read and written, kept clean."""
