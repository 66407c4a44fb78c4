"""A local Polymarket."""
