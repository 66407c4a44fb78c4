"""Conformance suites and builders for plugin authors."""
