"""Backtests, synthetic data and reports."""
