"""Where all tables of a run over a tape lie: one number, in the place of some seventy arrays.

Numba hands over about ten words for each array of a call, and takes each apart when Python calls:
for all tables of a run that costs more than what most functions do with them. A function that needs
tables takes the address of this list instead and reads from it where those lie that it uses.

Whoever calls holds the list and all arrays in it, see ``runtime.tape_addresses``.

Shapes: the list (ARRAYS, WORDS) int64: of each array its address and its lengths, of one with fewer
    than three axes the rest is 0. All are C-contiguous. The groups:
    TAPE     (ts, price, size, aux, instrument, kind, side, flag, market_of): columns (rows,) and
             the market of each instrument, -1 for none
    BOOKS    (desk, levels): what rests at each step, two rows a market, its bids and then its asks
    VENUE    (orders, front, acts, answers, rules, conf, probes), with rules (markets, U_SIZE_OF):
             see ``l2columns_nb``; for probes see ``venue_nb.latency``
    SEEN     (book, marks, history, grid, wakes, prints, wallets, tokens, value, exits, out_ts,
             out_equity): see ``bars_nb``; prints (strategies, markets) int64: the notional of a
             trade that wakes, 0 for none; wallets (names,) int64: the strategies that follow each
    TABLES   the session's tables, see ``tables_nb``
    DOOR     (order, asked, risk_scope, numbers, limits, applies, permitted_by, pace): see
             ``bardesk_nb`` and ``pace_nb``
    LOCKS    see ``bardesk_nb``
    LOGS     (plan, reviews, told, pulled, cases): see ``l2logs_nb``
    QUOTING  (seen, own, parameters, wanted, terms, wishes, counts, scratch): what the strategy
             sees, its memory (markets, OWN_SIZE_OF), its parameters, what it wants, the terms of
             rewards (markets, REWARDS); wishes (tokens, most quotes, 3) and counts (tokens,
             W_SIZE_OF): the quotes last wanted on each token, and what goes with them; scratch
             (8, room)
Units: bytes, elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llvmlite import ir
from numba import float64, int8, int32, int64, types, uint8
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from polyframe.kernels import exits_nb
from polyframe.kernels.bardesk_nb import LOCKS, TABLES

WORDS: Final = 4

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 2, "C")
_vector = types.Array(float64, 1, "C")
_matrix = types.Array(float64, 2, "C")
_ints = types.Array(int64, 1, "C", readonly=True)
_index = types.Array(int32, 1, "C", readonly=True)
_kinds = types.Array(uint8, 1, "C", readonly=True)
_sides = types.Array(int8, 1, "C", readonly=True)

TAPE: Final = types.Tuple((_ints, _ints, _ints, _ints, _index, _kinds, _sides, _kinds, _index))
BOOKS: Final = types.Tuple((_table, _table))
VENUE: Final = types.Tuple((_table, _vector, _table, _table, _table, _row, _table))
SEEN: Final = types.Tuple(
    (
        _table, _table, _ring, _ring, _cube, _table, _row, _cube, _table, exits_nb.TABLES, _row,
        _row,
    )
)  # fmt: skip
DOOR: Final = types.Tuple((_row, _row, _row, _table, _table, _table, _table, _table))
LOGS: Final = types.Tuple((_row, _table, _table, _table, _table))
QUOTING: Final = types.Tuple((_vector, _matrix, _vector, _matrix, _matrix, _cube, _table, _table))

GROUPS: Final = (
    types.Tuple((_row, _row)), TAPE, BOOKS, VENUE, SEEN, TABLES, DOOR, LOCKS, LOGS, QUOTING,
)  # fmt: skip
"""In the order in which they lie: (at, listens), then the tuples by their names."""


def arrays_of(group: Any) -> Iterator[Any]:
    """The types of a group's arrays, those of tuples in it at their place.

    Shapes: none. Units: none.
    """
    if isinstance(group, types.BaseTuple):
        for part in group.types:  # type: ignore[attr-defined]
            yield from arrays_of(part)
    else:
        yield group


FIRST: Final = tuple(
    sum(len(tuple(arrays_of(group))) for group in GROUPS[:k]) for k in range(len(GROUPS) + 1)
)
"""of each group the place of its first array; the last is how many arrays there are"""
ARRAYS: Final = FIRST[-1]


def _array(context: Any, builder: Any, kind: Any, words: Any) -> Any:
    """An array of a type from the words that tell where it lies."""

    def word(k: int) -> Any:
        return builder.load(builder.gep(words, [ir.Constant(ir.IntType(64), k)]))

    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    shape = [word(1 + axis) for axis in range(kind.ndim)]
    strides = [context.get_constant(types.intp, item)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    made = make_array(kind)(context, builder)
    populate_array(
        made, data=builder.inttoptr(word(0), made.data.type), shape=shape, strides=strides,
        itemsize=context.get_constant(types.intp, item), meminfo=None,
    )  # fmt: skip
    return made._getvalue()


def _group(place: int) -> Any:
    """A function from the list's address to a group of arrays."""
    kind, first = GROUPS[place], FIRST[place]

    @intrinsic
    def found(typingctx, where):  # type: ignore[no-untyped-def]
        def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            number = iter(range(first, ARRAYS))
            start = builder.inttoptr(args[0], cgutils.intp_t.as_pointer())

            def built(of: Any) -> Any:
                if isinstance(of, types.BaseTuple):
                    parts: Any = of
                    return context.make_tuple(builder, of, [built(part) for part in parts])
                at = ir.Constant(ir.IntType(64), WORDS * next(number))
                return _array(context, builder, of, builder.gep(start, [at]))

            return built(kind)

        return kind(int64), make

    return found


places_of: Final = _group(0)
"""(at, listens)"""
tape_of: Final = _group(1)
books_of: Final = _group(2)
venue_of: Final = _group(3)
seen_of: Final = _group(4)
tables_of: Final = _group(5)
door_of: Final = _group(6)
locks_of: Final = _group(7)
logs_of: Final = _group(8)
quoting_of: Final = _group(9)
