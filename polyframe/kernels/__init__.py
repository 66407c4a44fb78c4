"""Compiled loops: arrays in, arrays out; each has a slow plain twin in the tests.

Explicit signatures, compiled when first imported and cached on disk, no fastmath. Input columns are
declared read-only so that memory-mapped tapes and ordinary arrays are taken alike.
"""
