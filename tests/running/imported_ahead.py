"""Leaves a mark in the folder in which it is imported, for the tests of what processes import ahead."""

from pathlib import Path

Path("imported_ahead").touch()
