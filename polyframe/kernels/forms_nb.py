"""Stored records from their forms: fixed bytes with places for numbers and words between them.

Shapes:
    words    bytes (.,) uint8 and (., 2) int64, begin and length of each word as it is stored
    own      (.,) uint8: bytes that stand in one record and in no other
    forms    (forms, 2) int64, begin and end of each among the places, -1: there is none; places
             (., 3) int64, what each is and two numbers; bytes (.,) uint8
    values   (.,) int64: what places name
    out      (.,) uint8
Units: bytes.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from typing import Final

from numba import int64, types, uint8, uint64

from polyframe.kernels.compile_nb import kernel

# ---- places --------------------------------------------------------------------------------------
COPY: Final = 0
"""fixed bytes: begin, length"""
NUMBER: Final = 1
"""an integer: its value"""
WORD: Final = 2
"""a stored word: the value that is its index"""
TEXT: Final = 3
"""a text begins that consists of so many places which follow, fixed bytes and digits"""
DIGITS: Final = 4
"""an integer in decimal: its value"""
COUNT: Final = 5
"""an array begins: the value that is its length"""
OWN: Final = 6
"""bytes of the row's own: the values that are where they begin and how many they are"""

LONGEST: Final = 20
"""bytes of any number, stored or in decimal, and of any header"""


_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_bytes = types.Array(uint8, 1, "C")
WORDS = types.Tuple((_bytes, _table))
FORMS = types.Tuple((_table, _table, _bytes))


@kernel(int64(int64, int64, int64, _bytes, int64), inline=True)
def _big(head, value, width, out, at):  # type: ignore[no-untyped-def]
    """A head and an integer of so many bytes, the greatest first."""
    out[at] = head
    for k in range(width):
        out[at + width - k] = value & 255
        value >>= 8
    return at + 1 + width


@kernel(int64(int64, _bytes, int64))
def number(value, out, at):  # type: ignore[no-untyped-def]
    """Stores an integer in as few bytes as it needs; where the next byte goes.

    Shapes: see module. Units: none.
    """
    if value >= 0:
        if value < 1 << 7:
            out[at] = value
            return at + 1
        if value < 1 << 8:
            return _big(0xCC, value, 1, out, at)
        if value < 1 << 16:
            return _big(0xCD, value, 2, out, at)
        if value < 1 << 32:
            return _big(0xCE, value, 4, out, at)
        return _big(0xCF, value, 8, out, at)
    if value >= -32:
        out[at] = 256 + value
        return at + 1
    if value >= -(1 << 7):
        return _big(0xD0, value, 1, out, at)
    if value >= -(1 << 15):
        return _big(0xD1, value, 2, out, at)
    if value >= -(1 << 31):
        return _big(0xD2, value, 4, out, at)
    return _big(0xD3, value, 8, out, at)


@kernel(int64(int64, _bytes, int64))
def text_head(length, out, at):  # type: ignore[no-untyped-def]
    """Begins a text of so many bytes; where the next byte goes.

    Shapes: see module. Units: bytes.
    """
    if length < 1 << 5:
        out[at] = 0xA0 | length
        return at + 1
    if length < 1 << 8:
        return _big(0xD9, length, 1, out, at)
    if length < 1 << 16:
        return _big(0xDA, length, 2, out, at)
    return _big(0xDB, length, 4, out, at)


@kernel(int64(int64, _bytes, int64))
def array_head(length, out, at):  # type: ignore[no-untyped-def]
    """Begins an array of so many; where the next byte goes.

    Shapes: see module. Units: none.
    """
    if length < 1 << 4:
        out[at] = 0x90 | length
        return at + 1
    if length < 1 << 16:
        return _big(0xDC, length, 2, out, at)
    return _big(0xDD, length, 4, out, at)


@kernel(int64(int64), inline=True)
def _width(value):  # type: ignore[no-untyped-def]
    """How many digits a number from 0 up has."""
    n = 1
    while value >= 10:
        value //= 10
        n += 1
    return n


@kernel(int64(int64, _bytes, int64))
def digits(value, out, at):  # type: ignore[no-untyped-def]
    """Writes a number from 0 up in decimal; where the next byte goes.

    Shapes: see module. Units: none.
    """
    n = _width(value)
    for k in range(n):
        out[at + n - 1 - k] = 48 + value % 10
        value //= 10
    return at + n


@kernel(int64(_bytes, int64, int64, _bytes, int64), inline=True)
def _copied(source, begin, length, out, at):  # type: ignore[no-untyped-def]
    """Copies bytes; where the next byte goes."""
    # Where an index may count from the end, each byte is moved by itself: sixty times slower.
    here, there = uint64(at), uint64(begin)
    for k in range(uint64(length)):
        out[here + k] = source[there + k]
    return at + length


@kernel(int64(int64, WORDS, _bytes, FORMS, _row, _bytes, int64))
def fill_in(  # type: ignore[no-untyped-def] # noqa: PLR0912 - one branch a kind of place
    code, words, own, forms, values, out, at
):
    """Writes one form with its values; where the next byte goes, -1 where there is no room.

    Shapes: see module. Units: none.
    """
    places, fixed = forms[1], forms[2]
    for p in range(forms[0][code, 0], forms[0][code, 1]):
        what, a, b = places[p, 0], places[p, 1], places[p, 2]
        if what == COPY:
            if at + b > len(out):
                return -1
            at = _copied(fixed, a, b, out, at)
            continue
        if at + LONGEST > len(out):
            return -1
        if what == NUMBER:
            at = number(values[a], out, at)
        elif what == WORD:
            begin, length = words[1][values[a], 0], words[1][values[a], 1]
            if at + length > len(out):
                return -1
            at = _copied(words[0], begin, length, out, at)
        elif what == TEXT:
            length = int64(0)
            for k in range(p + 1, p + 1 + a):
                length += places[k, 2] if places[k, 0] == COPY else _width(values[places[k, 1]])
            at = text_head(length, out, at)
        elif what == DIGITS:
            at = digits(values[a], out, at)
        elif what == COUNT:
            at = array_head(values[a], out, at)
        elif what == OWN:
            if at + values[b] > len(out):
                return -1
            at = _copied(own, values[a], values[b], out, at)
    return at
