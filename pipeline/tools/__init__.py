"""Commands of `emobed` that no stage imports."""
