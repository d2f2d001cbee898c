"""Emotions as word vectors: recordings are scored by their closeness to the names of the classes."""
