"""Who trades at the sandbox besides you: noise, makers, informed traders and whales, all seeded."""
