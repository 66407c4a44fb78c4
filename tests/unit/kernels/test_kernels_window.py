"""Books in a window that follows the price, against dictionaries of all that was ever told."""

from __future__ import annotations

import random

import numpy as np
import pytest

from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import slots_nb
from polyframe.kernels import window_nb as nb

TICK, WINDOW = 5, 64


class Desk:
    """One market's book in a window around a price, and own orders at rest."""

    def __init__(self, centre: int, orders: list[tuple[int, int]]) -> None:
        self.desk = np.zeros((1, c.D_SIZE_OF), np.int64)
        self.levels = np.zeros((2, WINDOW + 1), np.int64)
        self.book = self.desk[0, : b.K_SIZE_OF]
        self.book[[b.K_TICK, b.K_ONE, b.K_MOVES]] = TICK, WINDOW * TICK, 1
        self.book[b.K_BASE] = max(centre - WINDOW // 2 * TICK, 0)
        b.wipe(self.book, *self.levels)
        self.desk[0, [c.D_BUY_LOW, c.D_SELL_LOW]] = c.NO_STEP
        self.desk[0, [c.D_BUY_HIGH, c.D_SELL_HIGH]] = -1
        self.orders = np.zeros((len(orders) + 1, c.V_SIZE_OF), np.int64)
        for slot, (side, price) in enumerate(orders):
            self.orders[slot, [c.V_SIDE, c.V_PRICE]] = side, price
            self.orders[slot, c.V_STEP] = b.held_at(self.book, price, WINDOW + 1)
            slots_nb.link(slot, self.desk, self.orders)
        self.moves = 0

    def told(self, side: int, price: int, size: int) -> bool:
        """A level; False when it lies outside the window."""
        step = b.step_of(self.book, price)
        lost = step == b.OFF_GRID and size > 0
        if lost and nb.follow(0, price, self.desk, self.levels, self.orders):
            self.moves += 1
            step = b.step_of(self.book, price)
            assert step != b.OFF_GRID
        if step == b.OFF_GRID:
            return False
        b.rest(self.book, *self.levels, side, step, size)
        return True

    @property
    def sides(self) -> dict[int, dict[int, int]]:
        base = int(self.book[b.K_BASE])
        return {
            side: {
                base + TICK * k: size for k, size in enumerate(self.levels[s].tolist()) if size
            }
            for s, side in ((0, 1), (1, -1))
        }  # fmt: skip

    @property
    def best(self) -> tuple[int, int]:
        bid, ask, base = (int(self.book[k]) for k in (b.K_BID, b.K_ASK, b.K_BASE))
        return base + bid * TICK if bid else 0, base + ask * TICK if ask <= WINDOW else 0


@pytest.mark.parametrize("seed", range(40))
def test_what_is_near_the_best_prices_is_always_known(seed: int) -> None:
    r = random.Random(seed)
    mid = r.choice((400, 5_000, 1_000_000)) // TICK * TICK
    orders = [(side, mid - side * TICK * r.randint(1, 90)) for side in (1, -1) for _ in range(3)]
    orders = [(side, price) for side, price in orders if price > 0]
    desk = Desk(mid, orders)
    all_told: dict[int, dict[int, int]] = {1: {}, -1: {}}
    drift = r.choice((-1, 1))
    for _ in range(600):
        mid = max(mid + TICK * drift * r.choice((0, 0, 1, 3)), 20 * TICK)
        if r.random() < 0.02:
            drift = -drift
        for side in (1, -1):
            # The market moves on: what would cross is gone first.
            for price in [p for p in all_told[side] if (p - mid) * side >= 0]:
                del all_told[side][price]
                desk.told(side, price, 0)
            price = mid - side * TICK * r.choice((1, 1, 2, 3, 8, 20, 45))
            size = r.choice((0, 3, 7))
            if price <= 0:
                continue
            inside = desk.told(side, price, size)
            all_told[side].pop(price, None)
            if size:
                all_told[side][price] = size
            best = [p for p in desk.best if p]
            quarter = WINDOW // 4 * TICK
            if not inside and size and len(best) == 2:
                assert abs(price - sum(best) // 2) > quarter - 2 * TICK, "lost a near level"
            found = desk.sides
            for way in (1, -1):
                assert found[way].items() <= all_told[way].items(), "a level nobody told"
            assert desk.best == (max(found[1], default=0), min(found[-1], default=0))
        slot = 0
        for slot, (_, price) in enumerate(orders):
            step = int(desk.orders[slot, c.V_STEP])
            inside = 0 < price - desk.book[b.K_BASE] < WINDOW * TICK
            assert not inside or desk.book[b.K_BASE] + step * TICK == price
            assert inside or step in (0, WINDOW)
    assert desk.moves > 0 or mid < WINDOW * TICK, "the window never moved"
    steps = {side: [int(desk.orders[k, c.V_STEP]) for k, o in enumerate(orders) if o[0] == side]
             for side in (1, -1)}  # fmt: skip
    own = desk.desk[0]
    assert [own[c.D_BUY_LOW], own[c.D_BUY_HIGH]] == [min(steps[1]), max(steps[1])]
    assert [own[c.D_SELL_LOW], own[c.D_SELL_HIGH]] == [min(steps[-1]), max(steps[-1])]


def test_a_window_does_not_move_for_what_is_far_from_the_best_prices() -> None:
    desk = Desk(5_000, [])
    assert desk.told(1, 4_995, 3)
    assert desk.told(-1, 5_005, 3)
    assert not desk.told(-1, 5_000 + WINDOW * TICK, 3)
    assert desk.moves == 0
    assert not desk.told(-1, 5_003, 3), "off the grid"


def test_a_book_that_knows_nothing_goes_where_it_is_told_of() -> None:
    desk = Desk(5_000, [(1, 4_990)])
    assert desk.told(1, 9_000, 3)
    assert desk.best == (9_000, 0)
    assert desk.orders[0, c.V_STEP] == 0, "below the window"
    assert desk.told(1, 5, 3) is False


def test_a_coarser_tick_moves_the_base_onto_its_grid() -> None:
    desk = Desk(5_000, [])
    assert b.retick(desk.book, *desk.levels, 7 * TICK) == 0
    assert desk.book[b.K_BASE] % (7 * TICK) == 0
    assert b.on_grid(desk.book, 70 * TICK) == 1
    assert b.on_grid(desk.book, 71 * TICK) == 0
