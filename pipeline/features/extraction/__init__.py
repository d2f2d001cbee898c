"""The engine of all extractions: jobs of a stage -> finished units and a feature table."""
