"""Sound and pictures as they come -> the rows that extraction would make of the whole recording."""
