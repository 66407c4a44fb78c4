"""Events, effects and wishes: closed sets that survive being stored, and their order."""

from __future__ import annotations

import typing
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.domain import effects, events, wishes
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Market
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce

INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: INT64,
    str: st.text(max_size=12),
    bool: st.booleans(),
    bytes: st.binary(max_size=12),
    float: st.floats(allow_nan=False),
    type(None): st.none(),
    # A capability is never stored.
    ApprovedOrder: st.none(),
}
# Fields that a class itself refuses to hold other values in.
FIELDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    Forecast: {
        "probability": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "evidence_quality": st.none() | st.floats(0, 1),
    },
    Market: {
        "tick": st.integers(1, 100),
        "lot": st.integers(1, 10**6),
        "max_price": st.integers(1, 2**30),
        "max_size": st.integers(1, 2**30),
    },
}


@cache
def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type, every field of a struct drawn and none left at its default."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, UnionType):
        return st.one_of([values_of(arg) for arg in args])
    if origin is tuple and args[-1] is ...:
        least = 1 if args[0] is not str and hasattr(args[0], "__struct_fields__") else 0
        return st.lists(values_of(args[0]), min_size=least, max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[values_of(arg) for arg in args])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    drawn = FIELDS.get(kind, {})
    return st.builds(
        kind,
        **{
            f.name: drawn[f.name] if f.name in drawn else values_of(f.type)
            for f in msgspec.structs.fields(kind)
        },
    )


RECORDS = [
    *[(kind, events.Event) for kind in get_args(events.Event)],
    *[(kind, effects.Effect) for kind in get_args(effects.Effect)],
    *[(kind, wishes.Wish) for kind in get_args(wishes.Wish)],
]


@pytest.mark.parametrize(("kind", "union"), RECORDS, ids=lambda v: getattr(v, "__name__", ""))
@settings(max_examples=15)
@given(data=st.data())
def test_a_record_is_read_back_as_it_was_written(
    kind: type, union: Any, data: st.DataObject
) -> None:
    record = data.draw(values_of(kind))
    stored = msgspec.msgpack.encode(record, enc_hook=effects.storable)
    again = msgspec.msgpack.decode(stored, type=union)
    assert type(again) is kind
    assert again == record


@pytest.mark.parametrize(
    ("module", "root", "union"),
    [
        (events, events._Event, events.Event),
        (effects, effects._Effect, effects.Effect),
    ],
)
def test_the_set_is_closed_and_its_tags_are_unique(module: Any, root: type, union: Any) -> None:
    declared = {
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, root) and thing is not root
    }
    assert declared == set(get_args(union))
    tags = [kind.__struct_config__.tag for kind in declared]
    assert len(set(tags)) == len(tags)


def test_wishes_are_listed_once() -> None:
    assert set(wishes.WISHES) == set(get_args(wishes.Wish))


@pytest.mark.parametrize("kind", [kind for kind, _ in RECORDS], ids=lambda k: k.__name__)
def test_records_cannot_be_changed(kind: type) -> None:
    assert kind.__struct_config__.frozen


def test_an_approval_is_not_stored() -> None:
    order = Order("o", "a", "m", "t", Side.BUY, 1, 1, TimeInForce.GTC, 0)
    submit = effects.SubmitOrder(order, 5, ApprovedOrder(order, 5, Seal()))
    stored = msgspec.msgpack.encode(submit, enc_hook=effects.storable)
    again = msgspec.msgpack.decode(stored, type=effects.Effect)
    assert again == effects.SubmitOrder(order, 5, None)


def test_what_has_no_stored_form_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="object cannot be stored"):
        msgspec.msgpack.encode(object(), enc_hook=effects.storable)


# ---- order at equal time -----------------------------------------------------------------------

FEED, ACCOUNT, FORECAST, TIMER, COMMAND = 0, 1, 2, 3, 4
OWN = {
    "OrderAccepted",
    "OrderDelayed",
    "OrderRejected",
    "OrderTimedOut",
    "OrderFilled",
    "FillConfirmed",
    "FillFailed",
    "OrderCancelled",
    "CancelRejected",
    "OrderExpired",
    "PositionSplit",
    "PositionMerged",
    "PositionRedeemed",
    "PositionConverted",
    "OperationFailed",
    "RewardPaid",
    "CashMoved",
    "BalanceReported",
}
RANK = {
    **dict.fromkeys(OWN, ACCOUNT),
    "ForecastMade": FORECAST,
    "ForecastFailed": FORECAST,
    "TimerFired": TIMER,
    "CommandReceived": COMMAND,
    "SessionStarted": -1,
    "SessionEnded": 5,
}


@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda k: k.__name__)
@settings(max_examples=5)
@given(data=st.data())
def test_an_event_s_place_at_equal_time_depends_on_its_class_alone(
    kind: type, data: st.DataObject
) -> None:
    assert events.precedence(data.draw(values_of(kind))) == RANK.get(kind.__name__, FEED)


@settings(max_examples=20)
@given(data=st.data())
def test_events_of_one_moment_have_one_order(data: st.DataObject) -> None:
    some = data.draw(st.lists(values_of(events.Event), max_size=8))
    keyed = [(event.ts, events.precedence(event), n) for n, event in enumerate(some)]
    assert len(set(keyed)) == len(keyed)
    ranked = sorted(keyed)
    assert [key[:2] for key in ranked] == sorted((e.ts, events.precedence(e)) for e in some)
