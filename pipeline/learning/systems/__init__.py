"""The systems: what can be learned from the features of two modalities, one file or folder each."""
