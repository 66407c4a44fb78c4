"""What a view shows of a book beyond its best prices."""

from __future__ import annotations

import msgspec
import pytest
from engine_desk import START, Desk, market

from polyframe.domain import events as ev
from polyframe.domain.book import Book, BookShape, Level, Quote
from polyframe.domain.units import SECOND
from polyframe.engine.engine import Engine

SHAPE = BookShape(75_000_000, 100, 3)
FULL = Book(
    "A.yes",
    (Level(4_000, 10**7), Level(3_900, 2 * 10**7)),
    (Level(4_200, 3 * 10**7), Level(4_500, 4 * 10**7), Level(4_600, 5 * 10**7)),
    START + SECOND,
)


def levels(side) -> list[tuple[int, int]]:
    return [(level.price, level.size) for level in side]


def desk(*, shape: BookShape | None = None) -> Desk:
    return Desk(markets=[msgspec.structs.replace(market("A"), depth=shape)], players=("bob",))


def seen(made: Desk, token: str) -> tuple[list, list]:
    book = made.engine.parts.bound[0].view.depth(token)
    assert book.token == token
    return levels(book.bids), levels(book.asks)


def test_a_quote_gives_its_best_levels():
    made = desk(shape=SHAPE)
    made.book("A", "0.40", "0.42")
    assert seen(made, "A.yes") == ([(4_000, 10**9)], [(4_200, 10**9)])
    assert seen(made, "A.no") == ([(5_800, 10**9)], [(6_000, 10**9)])


def test_a_price_without_sizes_has_the_book_its_exchange_assumes():
    made = desk(shape=SHAPE)
    made.step(ev.BookUpdated(made.later(), Quote("A.yes", 150, 0, 9_800, 0, made.now)))
    bids = [(150, 75_000_000), (50, 75_000_000)]
    asks = [(9_800, 75_000_000), (9_900, 75_000_000)]
    assert seen(made, "A.yes") == (bids, asks)
    assert seen(made, "A.no") == (
        [(200, 75_000_000), (100, 75_000_000)], [(9_850, 75_000_000), (9_950, 75_000_000)],
    )  # fmt: skip


def test_without_an_assumption_the_size_is_not_known():
    made = desk()
    made.step(ev.BookUpdated(made.later(), Quote("A.yes", 4_000, 0, 4_200, 0, made.now)))
    assert seen(made, "A.yes") == ([(4_000, 0)], [(4_200, 0)])


@pytest.mark.parametrize("shape", [None, SHAPE])
def test_nobody_there_is_no_level(shape):
    made = desk(shape=shape)
    assert seen(made, "A.yes") == ([], [])


def test_a_full_book_is_seen_from_both_sides_until_the_next_quote():
    made = desk(shape=SHAPE)
    made.step(ev.BookReset(made.later(), FULL))
    assert seen(made, "A.yes") == (levels(FULL.bids), levels(FULL.asks))
    assert seen(made, "A.no") == (
        [(5_800, 3 * 10**7), (5_500, 4 * 10**7), (5_400, 5 * 10**7)],
        [(6_000, 10**7), (6_100, 2 * 10**7)],
    )
    made.book("A", "0.40", "0.43")
    assert seen(made, "A.yes") == ([(4_000, 10**9)], [(4_300, 10**9)])


def test_a_full_book_of_no_is_turned():
    made = desk()
    turned = Book("A.no", (Level(5_800, 3),), (Level(6_000, 1), Level(6_100, 2)), START + SECOND)
    made.step(ev.BookReset(made.later(), turned))
    assert seen(made, "A.no") == ([(5_800, 3)], [(6_000, 1), (6_100, 2)])
    assert seen(made, "A.yes") == ([(4_000, 1), (3_900, 2)], [(4_200, 3)])


def test_a_checkpoint_keeps_the_levels():
    made = desk()
    made.step(ev.BookReset(made.later(), FULL))
    twin = Engine(made.setup)
    twin.restore(made.engine.checkpoint())
    assert levels(twin.parts.bound[0].view.depth("A.yes").asks) == levels(FULL.asks)
