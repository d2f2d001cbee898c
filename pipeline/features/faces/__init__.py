"""Video -> one face per tick."""
