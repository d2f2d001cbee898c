"""Predictions -> post-processed predictions, metrics and significance."""
