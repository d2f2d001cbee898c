"""Recognisers behind a local web page and a small HTTP interface; nothing of what is sent is kept."""
