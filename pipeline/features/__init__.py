"""Media -> feature tables."""
