"""The CLOB's REST routes over the venue."""
