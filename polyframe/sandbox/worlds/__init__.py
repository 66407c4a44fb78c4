"""What a sandbox is filled with: events, what will be believed of them, and how they end."""
