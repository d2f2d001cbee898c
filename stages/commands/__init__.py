"""The command line `emobed`: house-keeping around the pipeline."""
