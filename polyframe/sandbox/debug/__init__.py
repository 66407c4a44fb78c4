"""What no real venue has: an audit, a clock, an oracle by hand, the truth, money from nowhere."""
