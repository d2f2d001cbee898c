"""What there is to choose from: one table of corpus layouts, one of extractors. They import nothing of it."""
