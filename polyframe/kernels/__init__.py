"""Compiled loops: arrays in, arrays out; each has a slow plain twin in the tests."""
