"""The venue itself: a deterministic state machine of markets, orders, settlement and money."""
