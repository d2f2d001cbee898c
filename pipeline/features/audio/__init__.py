"""Sound -> functionals."""
