"""The simulated venue: execution prices, latency, fees and settlement for paper and backtest."""
