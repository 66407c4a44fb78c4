"""Tape, journal, catalogue and forecasts on disk."""
