"""Rater traces -> gold standard -> labels shifted by the annotation delay."""
