"""Rows of frames -> rows of windows or utterances."""
