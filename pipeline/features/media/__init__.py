"""Media files -> decoded sound and pictures on the file's clock: the one place that opens media."""
