"""Formulas on plain values and arrays; each names its source."""
