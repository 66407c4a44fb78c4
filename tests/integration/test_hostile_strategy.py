"""A hostile strategy file in a whole backtest: refused by name, or without effect on the books.

What Python cannot refuse inside one process is tried as well, to be sure that the documentation
says so.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import indent

import pytest

from polyframe import ApprovedOrder, Order, Side, TimeInForce
from polyframe.engine.risk import RiskDoor
from polyframe.errors import InvariantError, PluginError, PolyframeError
from polyframe.lab import backtest
from polyframe.lab.backtest import Finished
from polyframe.lab.synth import sample_dir
from polyframe.runtime import build
from polyframe.runtime.config import validated
from polyframe.runtime.plugins import Registry
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter

HEAD = '''
import copy, gc, math, pickle, sys
from typing import Any
import msgspec
from polyframe import *
from polyframe import ApprovedOrder, Order, Seal

ORDER = Order("x-1", "Hostile", "m", "t", Side.BUY, 5_000, 10_000_000, TimeInForce.FAK, 0)
TRIED = []

def attempt(deed):
    """Tries something; what is refused is noted with its error."""
    try:
        deed()
        TRIED.append("done")
    except Exception as error:
        TRIED.append(type(error).__name__)

class Hostile(Strategy):
    class State(msgspec.Struct):
        kept: Any = None

    def subscribe(self, markets):
        return Subscription(wake=(Moved(1),))

    def on_wake(self, event, view):
        market = view.market(event.token) if isinstance(event, Woken) else view.markets()[0]
        token = market.yes.id
'''
CASH = 1_000_000_000
MARKETS = [m.id for m in Catalogue.open(sample_dir()).markets() if not m.group][:2]


class Attack:
    """One hostile file, run as a user would run it."""

    def __init__(self, folder: Path, body: str) -> None:
        self.runs = folder / "runs"
        file = folder / "strategies" / "hostile.py"
        file.parent.mkdir()
        file.write_text(HEAD + indent(body, "        ") + "\n        return\n        yield\n")
        self.registry = Registry.load(folder, entry_points=False, env={})
        self.module = sys_module(self.registry)

    def run(self, limit: float = 5.0) -> Finished:
        config = validated(
            {
                "version": 1,
                "account": {"cash": "1000"},
                "strategies": [{"use": "Hostile"}],
                "data": {"markets": MARKETS},
            }
        )
        return backtest.run(config, self.registry, sample_dir(), runs=self.runs, call_limit=limit)

    @property
    def tried(self) -> list[str]:
        return self.module.TRIED


def sys_module(registry: Registry):
    return sys.modules[registry.get("strategy", "Hostile").__module__]


@pytest.fixture
def attack(tmp_path):
    return lambda body: Attack(tmp_path, body)


def nothing_moved(done: Finished) -> None:
    """No order, no fill, and the money is what it was."""
    assert not done.record.fills
    assert not done.record.settlements
    assert set(done.record.equity.tolist()) == {CASH}
    assert not [r for r in done.record.reviews if r.permitted]


def nothing_written(attack: Attack) -> None:
    assert not list(attack.runs.glob("*")) if attack.runs.exists() else True


# ---- looking behind the view, and changing what it gives ---------------------------------------

REFUSED_QUIETLY = {
    "private attributes of the view": (
        "for name in ('_state', '_engine', 'state', 'engine', '__dict__', '__weakref__'):\n"
        "    attempt(lambda: getattr(view, name))",
        {"AttributeError"},
    ),
    "attributes of its own on the view": (
        "attempt(lambda: setattr(view, 'portfolio', None))\n"
        "attempt(lambda: object.__setattr__(view, 'now', 0))\n"
        "attempt(lambda: delattr(view, 'now'))",
        {"AttributeError"},
    ),
    "returned values": (
        "for value, name in ((market, 'tick'), (view.book(token), 'ask'), (event, 'ts'),\n"
        "                    (view.portfolio(), 'cash'), (view.position(token), 'shares')):\n"
        "    attempt(lambda: setattr(value, name, 1))\n"
        "    attempt(lambda: delattr(value, name))\n"
        "    attempt(lambda: object.__setattr__(value, name, 1))",
        {"AttributeError", "TypeError"},
    ),
    "tuples inside returned values": (
        "attempt(lambda: market.tokens.append(1))\n"
        "attempt(lambda: market.tokens.__setitem__(0, market.no))",
        {"AttributeError"},
    ),
    "a sealed order out of thin air": (
        "attempt(lambda: ApprovedOrder(ORDER, 0, object()))\n"
        "attempt(lambda: ApprovedOrder(ORDER, 0, None))\n"
        "attempt(lambda: type('Mine', (ApprovedOrder,), {}))\n"
        "attempt(lambda: type('Mine', (Seal,), {}))\n"
        "attempt(lambda: pickle.dumps(Seal()))\n"
        "attempt(lambda: copy.copy(Seal()))",
        {"InvariantError"},
    ),
    "a change of an approval": (
        "mine = ApprovedOrder(ORDER, 0, Seal())\n"
        "attempt(lambda: setattr(mine, 'order', None))\n"
        "attempt(lambda: delattr(mine, '_seal'))",
        {"InvariantError"},
    ),
    "settings of its own": (
        "attempt(lambda: setattr(self.config, 'extra', 1))",
        {"ValidationError"},
    ),
    "markets that are not there": (
        "attempt(lambda: view.book('nothing'))\n"
        "attempt(lambda: view.market('nothing'))\n"
        "attempt(lambda: view.position('nothing'))\n"
        "attempt(lambda: view.worst('nothing'))\n"
        "attempt(lambda: view.history(token, -1))",
        {"DataError"},
    ),
}


@pytest.mark.parametrize("what", REFUSED_QUIETLY)
def test_an_attempt_is_refused_and_changes_nothing(attack, what):
    body, errors = REFUSED_QUIETLY[what]
    tried = attack(body)
    done = tried.run()
    assert tried.tried
    assert set(tried.tried) <= errors
    nothing_moved(done)


HARMLESS = {
    "emptying what the view returned": (
        "view.markets().clear()\nview.positions().clear()\nview.orders().clear()\n"
        "view.history(token, 9)[:] = 0.5\nTRIED.append(len(view.markets()))"
    ),
    "drawing all its random numbers": "view.rng.seed(1)\nTRIED.append(view.rng.random())",
    "a broker of its own": (
        "from polyframe.exchanges.sim.broker import SimBroker\n"
        "from polyframe.exchanges.sim.exchange import SimExchange\n"
        "seal = Seal()\n"
        "mine = ApprovedOrder(ORDER, 0, seal)\n"
        "import numpy as np\n"
        "from polyframe.store.timeline import PriceColumns\n"
        "columns = PriceColumns(np.array([1, 2]), np.zeros(2, np.int32),\n"
        "    np.array([5000, 5000]), np.zeros(2, np.uint8))\n"
        "exchange = SimExchange()\n"
        "markets = [exchange.rules(market)]\n"
        "broker = exchange.broker(seal=seal, markets=markets,\n"
        "    quotes=exchange.quotes(columns, markets), resolutions={})\n"
        "broker.submit(mine, view.now)\n"
        "list(broker.take(2**61))\n"
        "TRIED.append(broker.stats.orders)"
    ),
    "handing out approvals to itself": (
        "self.state.kept = [1]\nmine = object.__new__(ApprovedOrder)\n"
        "object.__setattr__(mine, 'order', ORDER)\nobject.__setattr__(mine, '_seal', Seal())\n"
        "TRIED.append(mine.order.id)"
    ),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_an_attempt_that_python_allows_reaches_nobody(attack, what):
    tried = attack(HARMLESS[what])
    done = tried.run()
    assert tried.tried, "the deed was done"
    nothing_moved(done)


FORGERIES = {
    "its own seal": "return ApprovedOrder(order, 0, Seal())",
    "no constructor": (
        "made = object.__new__(ApprovedOrder)\n"
        "for name, value in (('order', order), ('reserved', 0), ('_seal', Seal())):\n"
        "    object.__setattr__(made, name, value)\nreturn made"
    ),
    "no seal at all": (
        "made = object.__new__(ApprovedOrder)\n"
        "object.__setattr__(made, 'order', order)\nreturn made"
    ),
    "something that looks alike": (
        "return type('Alike', (), {'order': order, 'reserved': 0,\n"
        "    'sealed_by': lambda self, seal: True})()"
    ),
    "the order alone": "return order",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_no_forgery_passes_the_sessions_own_broker(tmp_path, how):
    space: dict[str, object] = {}
    source = "from polyframe import ApprovedOrder, Seal\ndef forge(order):\n"
    exec(source + indent(FORGERIES[how], "    "), space)
    session = open_session(tmp_path)
    order = an_order(session)
    with pytest.raises((InvariantError, AttributeError)):
        session.broker.submit(space["forge"](order), order.ts)
    assert session.broker.stats.orders == 0
    assert session.broker.due() is None


def test_an_approval_works_once(tmp_path):
    session = open_session(tmp_path)
    order = an_order(session)
    seen = ApprovedOrder(order, 0, session.engine.setup.seal)
    session.broker.submit(seen, order.ts)
    with pytest.raises(InvariantError, match="sent twice"):
        session.broker.submit(seen, order.ts)
    assert session.broker.stats.orders == 1


def open_session(folder: Path) -> build.Session:
    config = validated(
        {
            "version": 1,
            "account": {"cash": "1000"},
            "strategies": [{"use": "LLMForecast"}],
            "data": {"markets": MARKETS},
        }
    )
    data = build.recorded(Catalogue.open(sample_dir()), config)
    registry = Registry.load(folder, entry_points=False, env={})
    return build.replay(config, registry, data, session="s", journal=JournalWriter.null())


def an_order(session: build.Session):
    market = session.markets[0]
    return Order(
        "s-1", "LLMForecast", market.id, market.yes.id, Side.BUY, 5_000, 10**7,
        TimeInForce.FAK, int(session.quotes.ts[0]),
    )  # fmt: skip


# ---- wishes that are none ------------------------------------------------------------------------

NAMED = {
    "a subclass of a wish": (
        "class Sly(Intent): pass\nyield Sly(token=token, side=Side.BUY)",
        "yielded Sly",
    ),
    "an approval": ("yield ApprovedOrder(ORDER, 0, Seal())", "yielded ApprovedOrder"),
    "an order": ("yield ORDER", "yielded Order"),
    "an effect": ("yield FillBooked(None, 10**12)", "yielded FillBooked"),
    "text": ("yield 'buy'", "yielded str"),
    "nothing": ("yield None", "yielded NoneType"),
    "a million wishes": ("for n in range(10**6): yield WakeAt(view.now + n)", "more than 1,000"),
    "wishes without end": ("while True: yield WakeAt(view.now)", "more than 1,000"),
    "a loop without end": ("while True: pass", r"did not end within 0\.5 s"),
    "a generator that never yields": ("while True: yield from ()", r"did not end within 0\.5 s"),
    "a loop that swallows errors": (
        "while True:\n    try:\n        1 / 0\n    except Exception: pass",
        r"did not end within 0\.5 s",
    ),
    "recursion": ("def deeper(): return deeper()\ndeeper()", "RecursionError"),
    "a size beyond 64 bits": (
        "yield Intent(token=token, side=Side.BUY, size=2**80)", "size 1208925819614629174706176",
    ),
    "a size that is true": ("yield Intent(token=token, side=Side.BUY, size=True)", "size True"),
    "a size that is no number": (
        "yield Intent(token=token, side=Side.BUY, size=math.nan)", "size nan",
    ),
    "a side of ones own": ("yield Intent(token=token, side=7, size=1)", "side 7"),
    "a reason without end": (
        "yield Intent(token=token, side=Side.BUY, size=1, reason='x' * 10**7)", "10,000,000 char",
    ),
    "a reason that is no text": (
        "yield Intent(token=token, side=Side.BUY, size=1, reason='\\udc80')", "which is no text",
    ),
    "a probability that is none": (
        "yield Intent(token=token, side=Side.BUY, probability=math.nan)",
        r"KellySizer\.size \(Hostile\) raised DataError: probability nan",
    ),
    "a state that cannot be saved": ("self.state.kept = view", "state of Hostile cannot be saved"),
    "another state": ("self.state = view", "state of Hostile cannot be saved"),
    "standing still": ("yield WakeAt(view.now)", "100,000 steps within a second"),
    "hardly moving": ("yield WakeAt(view.now + 1)", "100,000 steps within a second"),
    "going back": ("yield WakeAt(-(2**61))", "100,000 steps within a second"),
    "an error of ours": ("raise InvariantError('not yours')", "raised InvariantError: not yours"),
    "an exit": ("sys.exit(0)", "raised SystemExit"),
}  # fmt: skip


@pytest.mark.parametrize("what", NAMED)
def test_what_cannot_be_carried_out_is_an_error_with_its_name(attack, what):
    body, message = NAMED[what]
    tried = attack(body)
    with pytest.raises(PluginError, match=f"(?s){message}") as caught:
        tried.run(limit=0.5)
    assert "Hostile" in caught.value.message
    nothing_written(tried)


RESERVED = "for key in ('every:0', 'every:x', 'style:s-1'): yield WakeAt(view.now + 1, key)"

REFUSED_WISHES = {
    "more than the venue takes": (
        "yield Intent(token=token, side=Side.BUY, size=2**61, price=5_000, edge=0.5)",
        "Intent buy: size is above",
    ),
    "less than nothing": (
        "yield Intent(token=token, side=Side.BUY, size=-10**12, price=5_000, edge=0.5)",
        "Intent buy: size is below zero",
    ),
    "somebody else's token": (
        "yield Intent(token='nobody', side=Side.BUY, size=10**7)", "Intent buy: unknown token",
    ),
    "somebody else's order": ("yield CancelOrder('s-1')", "CancelOrder: no such open order"),
    "the engine's own timers": (RESERVED, "WakeAt: keys that begin with every: or style:"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED_WISHES)
def test_a_wish_that_cannot_be_considered_is_recorded_as_refused(attack, what):
    body, reason = REFUSED_WISHES[what]
    done = attack(body).run()
    assert any(said.startswith(reason) for said in done.record.refusals)
    nothing_moved(done)


DENIED = {
    "a price beyond all": (
        "yield Intent(token=token, side=Side.BUY, size=10**7, price=2**61, edge=9.)"
    ),
    "a price below all": (
        "yield Intent(token=token, side=Side.BUY, size=10**7, price=-(2**61), edge=9.)"
    ),
    "shares it has not": "yield Intent(token=token, side=Side.SELL, size=10**13, price=100)",
    "an exit that is an entry": (
        "yield Intent(token=token, side=Side.BUY, size=10**7, kind=Kind.EXIT, price=9_900)"
    ),
    "an edge that is none": (
        "yield Intent(token=token, side=Side.BUY, size=10**7, edge=math.nan)\n"
        "yield Intent(token=token, side=Side.BUY, size=10**7, edge=math.inf)\n"
        "yield Intent(token=token, side=Side.BUY, size=10**7, probability=math.nan, edge=math.nan)"
    ),
    "quotes beyond all": (
        "yield Quotes(token=token, bids=(QuoteLevel(2**61, 2**61), QuoteLevel(-5, -5),\n"
        "    QuoteLevel(9_900, 10**13 + 10_000)))"
    ),
}


@pytest.mark.parametrize("what", DENIED)
def test_a_wish_without_sense_is_denied_at_the_door(attack, what):
    done = attack(DENIED[what]).run()
    assert done.record.reviews or done.record.refusals
    nothing_moved(done)


def test_all_it_can_wish_for_stays_within_every_cap(attack, monkeypatch):
    body = (
        "TRIED.append(1)\nif len(TRIED) > 25: return\n"
        "for n in range(100):\n"
        "    yield Intent(token=token, side=Side.BUY, size=10**7 + n, edge=1e300)\n"
        "    yield Intent(token=market.no.id, side=Side.BUY, size=10**12, edge=0.9,\n"
        "        kind=Kind.ARBITRAGE, tif=TimeInForce.GTC)"
    )
    seen = []
    review = RiskDoor.review

    def watched(door, draft, now):
        ruled = review(door, draft, now)
        state = door.state
        row = state.account
        seen.append(
            (
                state.cash[row] - state.reserved[row] >= 0,
                all(state.at_risk_market(row, m) <= 50_001_000 for m in range(len(MARKETS))),
                state.open_markets[row] <= 25,
            )
        )
        return ruled

    monkeypatch.setattr(RiskDoor, "review", watched)
    done = attack(body).run()
    assert len(seen) > 600
    assert set(seen) == {(True, True, True)}
    assert done.record.fills


# ---- what cannot be refused must be said -------------------------------------------------------

OUTSIDE = {
    "the door": (
        "from polyframe.engine.risk import RiskDoor, Ruled\n"
        "RiskDoor.review = lambda door, draft, now: Ruled(draft.size, (), False)",
        "monkeypatching",
    ),
    "modules": (
        "sys.modules['polyframe.engine.risk'].RiskDoor.review = lambda *a: 1 / 0",
        "monkeypatching",
    ),
    "the memory": (
        "if not TRIED: TRIED.append([o for o in gc.get_objects() if type(o) is Seal])", "`gc`",
    ),
    "closures": (
        "TRIED.append(type(view).position.__closure__[0].cell_contents)", "closures",
    ),
    "frozen values": (
        "msgspec.structs.force_setattr(market, 'min_size', 1)\n"
        "TRIED.append(view.market(market.id).min_size)",
        "force_setattr",
    ),
    "the disk": ("TRIED.append(__import__('pathlib').Path(__file__).read_text())", "reading files"),
}  # fmt: skip


@pytest.mark.parametrize("what", OUTSIDE)
def test_what_a_process_cannot_refuse_stands_in_the_documentation(attack, root, monkeypatch, what):
    body, words = OUTSIDE[what]
    monkeypatch.setattr(RiskDoor, "review", RiskDoor.review)  # put back afterwards
    tried = attack(body)
    try:
        tried.run()
    except PolyframeError:
        pytest.fail("this is refused now: the documentation can say so")
    except ZeroDivisionError:
        pass
    page = (root / "docs" / "plugins.md").read_text()
    outside = page[page.index("Outside what can be guaranteed") :]
    assert words in re.sub(r"\s+", " ", outside)


def test_a_hostile_run_is_recorded_like_any_other(attack):
    done = attack("yield Intent(token='nobody', side=Side.BUY, size=10**7)").run()
    manifest = json.loads(done.paths.manifest.read_text())
    assert "strategy:Hostile" in manifest["plugins"]["names"]
    assert not list(done.paths.directory.parent.glob(".*"))
