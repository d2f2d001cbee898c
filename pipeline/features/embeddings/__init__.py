"""Faces -> vectors, and the weights that this takes."""
