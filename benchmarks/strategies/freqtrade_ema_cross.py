"""The EMA cross of the harness as a freqtrade strategy: long only, no stop, no target."""

from freqtrade.strategy import IntParameter, IStrategy
from pandas import DataFrame


class EmaCross(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 1e9}  # noqa: RUF012 - as freqtrade wants it
    stoploss = -0.999
    startup_candle_count = 0
    process_only_new_candles = True
    use_exit_signal = True
    fast = IntParameter(3, 20, default=12, space="buy")
    slow = IntParameter(21, 60, default=26, space="buy")

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def _cross(self, dataframe: DataFrame):
        fast = dataframe["close"].ewm(span=self.fast.value, adjust=False).mean()
        slow = dataframe["close"].ewm(span=self.slow.value, adjust=False).mean()
        up = fast > slow
        return up, up.shift(1, fill_value=False)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        up, was = self._cross(dataframe)
        dataframe.loc[up & ~was & (dataframe.index >= 50), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        up, was = self._cross(dataframe)
        dataframe.loc[was & ~up, "exit_long"] = 1
        return dataframe
