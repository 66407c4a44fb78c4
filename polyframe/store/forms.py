"""Forms of stored records: fixed bytes with places for the numbers and words that differ.

A form is read off a record that has marks where others have their own values: so its fixed part is
what any encoder of such a record would write, and is stated nowhere else.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from polyframe.errors import InvariantError
from polyframe.kernels import forms_nb as nb

Place = tuple[int, int, int]
"""What stands there and two numbers, see ``forms_nb``."""

_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8}
"""nil, false, true, floats: how many bytes follow"""
_INTEGERS = {
    0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False),
    0xD0: (1, True), 0xD1: (2, True), 0xD2: (4, True), 0xD3: (8, True),
}  # fmt: skip
_LENGTHS = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_ARRAYS, _MAPS = (0xDC, 0xDD), (0xDE, 0xDF)


class Marks(NamedTuple):
    """What stands in a sample where others have their own: the mark, and the value it is for."""

    numbers: Mapping[int, int]
    words: Mapping[str, int]
    own: Mapping[str, tuple[int, int]]
    """texts that no other has: the values that say where one begins, and how long it is"""


class Token(NamedTuple):
    """One scalar, or the head of an array or a map, in stored bytes."""

    begin: int
    end: int
    value: int | str | None
    """of integers and texts"""


def tokens(data: bytes) -> Iterator[Token]:
    """Everything in stored bytes, in order; what an array or a map holds comes after its head.

    Raises:
        InvariantError: bytes of a kind that no record has.
    """
    at = 0
    while at < len(data):
        token = _token(data, at)
        yield token
        at = token.end


def _token(data: bytes, at: int) -> Token:
    head, after = data[at], at + 1
    if head < 0x80 or head >= 0xE0:
        return Token(at, after, head if head < 0x80 else head - 256)
    if head < 0xA0:
        return Token(at, after, None)
    if head < 0xC0:
        return _text(data, at, after, head & 31)
    if head in _FIXED:
        return Token(at, after + _FIXED[head], None)
    if head in _INTEGERS:
        width, signed = _INTEGERS[head]
        number = int.from_bytes(data[after : after + width], "big", signed=signed)
        return Token(at, after + width, number)
    if head not in _LENGTHS:
        raise InvariantError(f"byte {head:#x} at {at} of a sample begins nothing that a record has")
    width = _LENGTHS[head]
    if head in _ARRAYS or head in _MAPS:
        return Token(at, after + width, None)
    length = int.from_bytes(data[after : after + width], "big")
    return _text(data, at, after + width, length)


def _text(data: bytes, at: int, begin: int, length: int) -> Token:
    return Token(at, begin + length, data[begin : begin + length].decode())


def form_of(sample: bytes, marks: Marks, fixed: bytearray) -> list[Place]:
    """The places of a sample; its fixed bytes are added to ``fixed``."""
    places: list[Place] = []
    begin = len(fixed)
    for token in tokens(sample):
        found = _places_of(token.value, marks, fixed)
        if not found:
            fixed += sample[token.begin : token.end]
            continue
        # What a text consists of was added after the bytes before it.
        end = len(fixed) - sum(length for what, _, length in found if what == nb.COPY)
        if end > begin:
            places.append((nb.COPY, begin, end - begin))
        places += found
        begin = len(fixed)
    if len(fixed) > begin:
        places.append((nb.COPY, begin, len(fixed) - begin))
    return places


def _places_of(value: int | str | None, marks: Marks, fixed: bytearray) -> list[Place]:
    """The places that a number or a text is; none where it is the same in all records."""
    if isinstance(value, int):
        return [(nb.NUMBER, marks.numbers[value], 0)] if value in marks.numbers else []
    if value is None:
        return []
    if value in marks.own:
        return [(nb.OWN, *marks.own[value])]
    if value in marks.words:
        return [(nb.WORD, marks.words[value], 0)]
    parts: list[Place] = []
    for k, part in enumerate(re.split(f"({'|'.join(map(str, marks.numbers))})", value)):
        if k % 2:
            parts.append((nb.DIGITS, marks.numbers[int(part)], 0))
        elif part:
            raw = part.encode()
            parts.append((nb.COPY, len(fixed), len(raw)))
            fixed += raw
    if not any(what == nb.DIGITS for what, _, _ in parts):
        del fixed[len(fixed) - sum(length for _, _, length in parts) :]
        return []
    return [(nb.TEXT, len(parts), 0), *parts]
