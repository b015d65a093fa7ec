"""Wire formats to canonical documents and back, by mapping tables."""
