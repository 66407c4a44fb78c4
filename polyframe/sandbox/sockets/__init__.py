"""The market and the user channel."""
