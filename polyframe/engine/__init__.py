"""The pure state machine: events in, effects out. It never waits, reads a clock or opens a file."""
