"""Recognisers and files of anybody -> a table of predictions: what `emobed predict` does."""
