"""Queries, searchers, fetching and evidence."""
