"""A hostile strategy file: what it tries is refused. What cannot be refused stands in the docs."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from polyframe import InvariantError, PluginError
from polyframe.domain.effects import OrderReviewed, SubmitOrder
from polyframe.runtime.plugins import Registry
from polyframe.testing import START, Session, build_book
from polyframe.testing.contract import private_imports

HEAD = """
import sys, time, random, os
import msgspec
from polyframe import *
from polyframe import ApprovedOrder, Order, Seal

class Hostile(Strategy):
    def on_book(self, event, view):
"""
ORDER = 'Order("x-1", "tested", "m1", "m1-yes", Side.BUY, 1, 1, TimeInForce.FAK, 0)'

REFUSED = {
    "sets the time": ("view.now = 0", "AttributeError"),
    "shadows its position": ("view.position = lambda token: None", "AttributeError"),
    "adds an attribute": ("view.backdoor = 1", "AttributeError"),
    "changes a quote": ('view.book("m1-yes").bid = 1', "AttributeError"),
    "changes its account": ("view.portfolio().cash = 10**12", "AttributeError"),
    "changes a market": ('view.market("m1").tick = 1', "AttributeError"),
    "changes the event": ("event.quote.ask = 1", "AttributeError"),
    "changes its config": ("self.config.anything = 1", "ValidationError|instance"),
    "looks for the engine": ("view._engine", "AttributeError"),
    "looks into the instance": ("view.__dict__", "AttributeError"),
    "forges an approval": (f"ApprovedOrder({ORDER}, 0, object())", "no seal of a risk door"),
    "yields a forged approval": (f"yield ApprovedOrder({ORDER}, 0, Seal())", "yielded ApprovedOr"),
    "yields an order": (f"yield {ORDER}", "yielded Order"),
    "yields too much": ("while True: yield WakeAt(1)", "more than 1,000 wishes"),
    "yields a fraction": ('yield Intent(token="m1-yes", side=Side.BUY, size=0.5)', "size 0.5"),
    "copies a seal": ("import pickle; pickle.dumps(Seal())", "seal cannot be copied"),
    "ends the program": ("sys.exit(0)", "SystemExit"),
    "swallows the interrupt": (
        "while True:\n    try:\n        time.sleep(0.001)\n    except Exception:\n        pass",
        "did not end within",
    ),
}


def hostile(folder: Path, body: str) -> type:
    file = folder / "strategies" / "hostile.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEAD + indent(body, "        ") + "\n        return ()\n")
    return Registry.load(folder, entry_points=False, env={}).get("strategy", "Hostile")


@pytest.mark.parametrize("attempt", REFUSED)
def test_an_attempt_is_refused_and_named_with_its_line(attempt, tmp_path):
    body, found = REFUSED[attempt]
    session = Session(hostile(tmp_path, body)())
    session.start()
    with (
        session.calls.watch(0.2),
        pytest.raises(PluginError, match=f"(?s){found}") as caught,
    ):
        session.send(build_book())
    assert "hostile.py:" in caught.value.message
    assert session.view.now == START
    assert session.view.portfolio().cash == 1_000_000_000
    assert session.view.book("m1-yes").ask == 5_100
    assert not session.of(SubmitOrder)


def test_what_a_view_gives_out_leads_to_nothing_inside(tmp_path):
    body = "view.markets().clear(); view.positions().clear(); view.orders().clear()"
    session = Session(hostile(tmp_path, body)())
    session.start()
    session.send(build_book())
    assert [market.id for market in session.view.markets()] == ["m1"]


def test_an_import_from_inside_is_found_and_a_broker_of_its_own_reaches_nobody(tmp_path):
    body = (
        "from polyframe.testing.session import Session\n"
        "other = Session()\n"
        "seal = Seal()\n"
        f"forged = ApprovedOrder({ORDER}, 0, seal)\n"
        "assert not forged.sealed_by(other.engine.setup.seal)\n"
        'yield Intent(token="m1-yes", side=Side.BUY, size=10**12, price=9_000, edge=0.9)'
    )
    session = Session(hostile(tmp_path, body)())
    session.start()
    session.send(build_book())
    (review,) = session.of(OrderReviewed)
    assert review.permitted * 9_000 // 10_000 <= 1_000_000_000
    assert all(order.order.id == review.order for order in session.of(SubmitOrder))
    found = private_imports(tmp_path / "strategies" / "hostile.py")
    assert any("polyframe.testing.session" in line for line in found)


def test_a_seal_of_ones_own_opens_no_broker(tmp_path):
    from polyframe import ApprovedOrder, Order, Seal, Side, TimeInForce
    from polyframe.testing import load_plugin

    user_data = Path(__file__).parents[2] / "user_data"
    desk = load_plugin("exchange", "SlowDesk", user_data)()
    broker = desk.broker(seal=Seal(), markets=[])
    order = Order("x-1", "tested", "m1", "m1-yes", Side.BUY, 1, 1, TimeInForce.FAK, 0)
    with pytest.raises(InvariantError):
        broker.submit(ApprovedOrder(order, 0, Seal()), START)
