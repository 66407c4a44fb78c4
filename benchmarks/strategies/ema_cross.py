"""The EMA cross of the peers' harness: long only, out on the reverse cross, no stop, no target."""

from polyframe import Strategy


class EmaCross(Strategy):
    """Buys when the fast mean crosses the slow one from below."""

    timeframe = "1m"
    startup_bars = 50
    slippage = 0.0

    def features(self, bars):
        fast = bars["close"].ewm(span=12, adjust=False).mean()
        slow = bars["close"].ewm(span=26, adjust=False).mean()
        up = fast > slow
        was = up.shift(1, fill_value=False)
        bars["enter"] = up & ~was
        bars["exit"] = was & ~up
        # The guards want to know what an entry is believed to be worth.
        bars["edge"] = 0.1
        return bars
