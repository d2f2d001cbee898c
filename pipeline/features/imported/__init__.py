"""Feature tables that came with a corpus -> rows on its grid."""
