"""Transcripts -> features of what was said."""
