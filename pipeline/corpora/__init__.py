"""Raw layout on disk -> recordings and annotation traces."""
