"""The pure state machine and the one risk door."""
