"""What there is to choose from: corpus layouts, extractors, systems. The tables import nothing of them."""
