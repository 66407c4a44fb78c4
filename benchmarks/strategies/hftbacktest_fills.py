"""The harness's market maker in hftbacktest, run in its own environment; every fill is written.

``python hftbacktest_fills.py l2.npz EVENTS CADENCE_MS FILLS.npy``: rows of time, side, price in
ticks and size, as hftbacktest states them of each order that it filled.
"""

import math
import sys
import time

import hftbacktest
import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILLED,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from numba import njit

TICK, TICKS = 0.01, 100
HALF, SKEW, SIZE, MOST = 0.5, 2.0, 50.0, 500.0
OFFSET_NS = 500_000
"""decisions fall half a millisecond after data, never on it"""


@njit
def collected(hbt, fills, count):
    """Writes down what was filled since the last look, then forgets orders that are done."""
    values = hbt.orders(0).values()
    while values.has_next():
        order = values.get()
        if order.status == FILLED:
            fills[count, 0] = order.exch_timestamp
            fills[count, 1] = order.side
            fills[count, 2] = order.exec_price_tick
            fills[count, 3] = round(order.exec_qty)
            count += 1
    hbt.clear_inactive_orders(0)
    return count


@njit
def replaced(hbt, side, resting, number, wanted, latest):
    """Cancels what rests at another tick and sends the new order; its number and the latest."""
    if resting:
        hbt.cancel(0, number, False)
    if not wanted:
        return 0, latest
    latest += 1
    if side > 0:
        hbt.submit_buy_order(0, latest, wanted * TICK, SIZE, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(0, latest, wanted * TICK, SIZE, GTX, LIMIT, False)
    return latest, latest


@njit
def maker(hbt, cadence, fills):
    """Fills written and decisions made."""
    count = decisions = latest = 0
    bid_number = ask_number = bid_at = ask_at = 0
    hbt.elapse(OFFSET_NS)
    while hbt.elapse(cadence) == 0:
        decisions += 1
        count = collected(hbt, fills, count)
        open_orders = hbt.orders(0)
        if bid_at and bid_number not in open_orders:
            bid_at = 0
        if ask_at and ask_number not in open_orders:
            ask_at = 0
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if bid < 1 or ask > TICKS:
            continue
        held = hbt.position(0)
        fair = 0.5 * (bid + ask) - SKEW * held / MOST
        low = high = 0
        if held + SIZE <= MOST:
            low = max(min(bid, math.floor(fair - HALF + 1e-9)), 0)
        if held - SIZE >= -MOST:
            high = max(ask, math.ceil(fair + HALF - 1e-9))
            if high > TICKS - 1:
                high = 0
        if low != bid_at:
            bid_number, latest = replaced(hbt, 1, bid_at, bid_number, low, latest)
            bid_at = low
        if high != ask_at:
            ask_number, latest = replaced(hbt, -1, ask_at, ask_number, high, latest)
            ask_at = high
    return collected(hbt, fills, count), decisions


def events_of(file, count):
    """The stream in hftbacktest's layout."""
    with np.load(file) as stream:
        ts, kind, side, tick, qty = (
            stream[name][:count] for name in ("ts", "kind", "side", "tick", "qty")
        )
    events = np.zeros(len(ts), event_dtype)
    what = np.where(kind == 1, DEPTH_EVENT, TRADE_EVENT)
    way = np.where(side > 0, BUY_EVENT, SELL_EVENT)
    events["ev"] = (what | way | EXCH_EVENT | LOCAL_EVENT).astype(np.uint64)
    events["exch_ts"] = events["local_ts"] = ts
    events["px"], events["qty"] = tick * TICK, qty
    return events


def main(file, count, cadence_ms, into):
    """Plays the stream once and checks that every trade the library counted was written."""
    events = events_of(file, count)  # kept here: the library reads it without owning it
    asset = (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(TICK)
        .lot_size(1.0)
        .last_trades_capacity(0)
    )
    hbt = ROIVectorMarketDepthBacktest([asset.roi_lb(0.0).roi_ub(1.0)])
    fills = np.zeros((count, 4), np.int64)
    began = time.perf_counter()
    written, decisions = maker(hbt, cadence_ms * 1_000_000, fills)
    seconds = time.perf_counter() - began
    trades = hbt.state_values(0).num_trades
    if trades != written:
        raise SystemExit(f"hftbacktest counts {trades} trades, {written} fills were seen")
    hbt.close()
    np.save(into, fills[:written])
    print(written, decisions, seconds, hftbacktest.__version__)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
