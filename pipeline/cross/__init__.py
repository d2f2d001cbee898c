"""Recognisers on corpora that they did not learn from: features, gold standard, scores, and what to mind."""
