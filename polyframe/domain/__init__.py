"""Nouns: frozen, serialisable values without I/O and without a clock."""
