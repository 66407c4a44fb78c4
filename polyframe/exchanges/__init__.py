"""Venues, simulated and real."""
