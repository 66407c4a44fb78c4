"""Forms: read off a sample with marks, filled in by compiled code, as the encoder has it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import InvariantError
from polyframe.kernels import forms_nb as nb
from polyframe.kernels import records_nb as rn
from polyframe.store.forms import Marks, form_of, tokens

encode = msgspec.msgpack.encode
MARK = {value: (1 << 60) + value * 999_999_999_989 for value in range(5)}
MARKS = Marks(
    {mark: value for value, mark in MARK.items()},
    {"\0word": rn.V_TOKEN},
    {"\0own": (rn.V_BEGIN, rn.V_LENGTH)},
)

whole = st.integers(-(2**63), 2**63 - 1) | st.integers(-40_000, 70_000) | st.integers(-140, 260)
text = st.text(max_size=40) | st.text(min_size=250, max_size=300)


def filled(
    sample: Any, values: dict[int, int], word: str = "", own: str = "", room: int = 1 << 20
) -> bytes | None:
    """A form of a sample with values; None where there was no room for it."""
    fixed = bytearray(b"before")
    places = form_of(encode(sample), MARKS, fixed)
    at = np.full((9, 2), -1, np.int64)
    at[3] = 0, len(places)
    given = np.zeros(rn.V_SIZE_OF, np.int64)
    for value, number in values.items():
        given[value] = number
    stored = [encode("another"), encode(word)]
    spans = np.array([(0, len(stored[0])), (len(stored[0]), len(stored[1]))], np.int64)
    given[rn.V_TOKEN] = 1
    data = encode(own)
    given[rn.V_BEGIN], given[rn.V_LENGTH] = 0, len(data)
    out = np.zeros(room, np.uint8)
    end = nb.fill_in(
        3, (array(b"".join(stored)), spans), array(data),
        (at, np.array(places, np.int64), array(bytes(fixed))), given, out, 0,
    )  # fmt: skip
    return None if end < 0 else out[:end].tobytes()


def array(data: bytes) -> np.ndarray[Any, Any]:
    return np.frombuffer(bytearray(data), np.uint8)


def shaped(numbers: dict[int, int], word: str, own: str, names: list[str]) -> Any:
    """A record of all that records have: maps, arrays, numbers alone and in texts, floats, nil."""
    return {
        "type": "Thing", "ts": numbers[0], "ids": [f"s-{numbers[1]}", f"{numbers[1]}-{numbers[2]}"],
        "none": None, "yes": True, "p": 0.25, "fixed": [-1, -200, -70_000, 5, 300, 2**40, -(2**40)],
        "word": word, "own": own, "names": {name: [numbers[3], numbers[0]] for name in names},
        "long": "é" * 20 + f"{numbers[2]}", "many": list(range(20)), "last": numbers[4],
    }  # fmt: skip


@given(
    st.lists(whole, min_size=5, max_size=5), st.lists(text, unique=True, max_size=20), text, text
)
def test_a_form_filled_in_is_what_the_encoder_writes(
    numbers: list[int], names: list[str], word: str, own: str
) -> None:
    values = dict(enumerate(numbers))
    values[1], values[2] = abs(numbers[1]) >> 1, abs(numbers[2]) >> 1
    sample = shaped(MARK, "\0word", "\0own", names)
    assert filled(sample, values, word, own) == encode(shaped(values, word, own, names))


@given(st.integers(0, 400))
def test_nothing_is_written_beyond_the_room_there_is(room: int) -> None:
    values = {1: 10**17, 2: 10**18 - 1}
    sample = shaped(MARK, "\0word", "\0own", ["a", "b"])
    wanted = encode(shaped({0: 1, 3: -5, 4: 2**62, **values}, "w" * 50, "o" * 70, ["a", "b"]))
    found = filled(sample, {0: 1, 3: -5, 4: 2**62, **values}, "w" * 50, "o" * 70, room)
    assert found in (None, wanted)
    assert found is None or room >= len(wanted)
    assert found == wanted or room < len(wanted) + nb.LONGEST


@given(st.integers(0, 2**40) | st.sampled_from([2**k + d for k in range(17) for d in (-1, 0, 1)]))
def test_heads_are_the_encoders(length: int) -> None:
    out = np.zeros(32, np.uint8)
    assert out[: nb.digits(length, out, 0)].tobytes() == str(length).encode()
    if length < 70_000:
        head = encode("x" * length)[: -length or None]
        assert out[: nb.text_head(length, out, 0)].tobytes() == head
        head = encode([None] * length)[: -length or None]
        assert out[: nb.array_head(length, out, 0)].tobytes() == head


@given(whole)
def test_numbers_are_the_encoders(number: int) -> None:
    out = np.zeros(16, np.uint8)
    assert out[: nb.number(number, out, 0)].tobytes() == encode(number)


def test_what_no_record_has_is_no_sample() -> None:
    with pytest.raises(InvariantError, match=r"byte 0xc4 at 0 of a sample"):
        list(tokens(encode(b"bytes")))
