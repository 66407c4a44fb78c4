"""The story of one order: what was believed, what was wanted, who ruled on it, how it ended."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from polyframe.domain import effects as fx
from polyframe.domain.orders import Side
from polyframe.domain.units import Money, Ns
from polyframe.errors import InvariantError, UserError
from polyframe.store.decision_log import Decision, Stage, short
from polyframe.store.decision_rows import DecisionRows
from polyframe.store.decisions import proven
from polyframe.store.journal_reader import JournalReader
from polyframe.store.records import Step

MOST = 200
"""So many rows of a position's later life are told; of the rest their number."""
NAMED = 5


class Story(msgspec.Struct):
    """All that a journal says of one order, or of the intents of one step.

    ``order`` is empty where the intents were denied. ``after`` is what became of the position:
    later orders in the same token by the same strategy until nothing is held, and the settlement.
    """

    order: str
    ledger: str = ""
    market: str = ""
    token: str = ""
    ts: Ns = 0
    before: list[Decision] = []
    """SCAN, RESEARCH and FORECAST as they stood when the intent was reviewed"""
    reviews: list[Decision] = []
    """EDGE, RISK and SIZE of the order and of its parts"""
    execution: list[Decision] = []
    after: list[Decision] = []
    more: int = 0
    """rows of ``after`` that are not told"""
    filled: int = 0
    realised: Money = 0
    """what the order earned itself, and what the position earned after it until it was closed,
    against average cost and before fees"""
    fees: Money = 0
    """what the order paid, and the fills of its token after it until the position was closed"""
    shared: bool = False
    """other orders bought into the same position"""
    held: int = 0
    """shares of the token still held at the end of the story"""

    @property
    def forecast(self) -> Decision | None:
        """The newest forecast of the market when the intent was reviewed."""
        rows = [r for r in self.before if r.stage is Stage.FORECAST and "probability" in r.facts]
        return rows[-1] if rows else None


class Found(msgspec.Struct, frozen=True):
    """Where a story begins: a step and, unless its intents were denied, an order."""

    step: int
    order: str


def find_order(reader: JournalReader, wanted: str, command: str) -> Found:
    """The order with this id, or whose id alone ends so; ``@52`` is what step 52 reviewed.

    ``command`` is how the decision log is asked, for the next step of an error.

    Raises:
        UserError: there is none, or several end so.
        GapError: the journal was edited.
    """
    if wanted.startswith("@"):
        return _at_step(reader, wanted, command)
    ending = f"-{wanted}" if wanted.isdecimal() else wanted
    matches: list[Found] = []
    n, first, near = 0, "", ""
    for step in reader.steps():
        for id in _reviewed(step):
            n += 1
            first = first or id
            near = id if not near or _distance(id, wanted) < _distance(near, wanted) else near
            if id == wanted:
                return Found(step.seq, id)
            if id.endswith(ending) and len(matches) <= NAMED and ending:
                matches.append(Found(step.seq, id))
    if len(matches) == 1:
        return matches[0]
    if matches:
        named = ", ".join(found.order for found in matches[:NAMED])
        raise UserError(
            f"{'several' if len(matches) > NAMED else len(matches)} orders end with {wanted!r}: "
            f"{named}{' ...' if len(matches) > NAMED else ''}",
            expected="enough of the id to name one",
            hint=f"{command} --why {matches[0].order}",
        )
    raise UserError(
        f"no order has or ends with the id {wanted!r}; "
        + (f"there are {n:,} orders from {first} on" if n else "no order was approved"),
        expected="an order's id, its end like -17, or @STEP for what a step denied",
        hint=f"{command} --why {short(near)}" if near else f"{command} --stage RISK",
    )


def _at_step(reader: JournalReader, wanted: str, command: str) -> Found:
    number = wanted[1:]
    after = 0
    for step in reader.steps() if number.isdecimal() else ():
        reviews = [e for e in step.effects if isinstance(e, fx.OrderReviewed)]
        if reviews and step.seq == int(number):
            ids = list(_reviewed(step))
            return Found(step.seq, ids[0] if len(ids) == len(reviews) == 1 else "")
        if reviews and (not after or step.seq <= int(number)):
            after = step.seq
    raise UserError(
        f"step {number} reviewed no intent",
        expected="@ and the number of a step that the log shows with EDGE",
        hint=f"{command} --why @{after}" if after else f"{command} --stage EDGE",
    )


def _reviewed(step: Step) -> Iterator[str]:
    for effect in step.effects:
        if isinstance(effect, fx.OrderReviewed) and effect.order and effect.permitted:
            yield effect.order


def _distance(id: str, wanted: str) -> int:
    number, sought = id.rpartition("-")[2], wanted.rpartition("-")[2]
    if not (number.isdecimal() and sought.isdecimal()):
        return 0
    return abs(int(number) - int(sought))


def tell(reader: JournalReader, found: Found) -> Story:
    """The story that begins there.

    Raises:
        GapError: the journal was edited.
    """
    teller = _Teller(found)
    log = DecisionRows()
    for block in reader.blocks():
        for record in reader.decode(block):
            if type(record) is Step:
                teller.hear(record, list(proven(log, record, block)))
        if teller.over:
            break
    if not teller.begun:
        raise InvariantError(f"{reader.path} has no step {found.step} any more")
    return teller.story


class _Teller:
    """Listens to a journal and keeps what belongs to the story."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.story = Story(found.order)
        self.begun = False
        self.over = False
        self._newest: dict[tuple[str, Stage], Decision] = {}
        self._held: dict[tuple[str, str], int] = {}
        self._family = {found.order} if found.order else set()
        self._open = 0
        self._side = Side.BUY

    def hear(self, step: Step, rows: list[Decision]) -> None:
        """Takes one step in."""
        if self.over:
            return
        for row in rows:
            if not self.begun and row.stage in (Stage.SCAN, Stage.RESEARCH, Stage.FORECAST):
                self._newest[row.market, row.stage] = row
        if step.seq == self.found.step:
            self._begin(step, rows)
        self._count(step)
        if not self.begun:
            return
        for row in rows:
            self._sort(row, step.seq)
        held = self._held.get((self.story.ledger, self.story.token), 0)
        self.story.held = held
        nothing_left = held <= 0 or self._side is Side.SELL
        self.over = self._open <= 0 and step.seq > self.found.step and nothing_left
        if not self._family:
            self.over = True

    def _begin(self, step: Step, rows: list[Decision]) -> None:
        story = self.story
        chosen = [
            effect for effect in step.effects
            if isinstance(effect, fx.OrderReviewed)
            and (not story.order or effect.order == story.order)
        ]  # fmt: skip
        first = chosen[0]
        self.begun = True
        self._side = first.intent.side
        story.ledger, story.token, story.ts = first.ledger, first.intent.token, step.ts
        story.market = first.market
        bought = self._side is Side.BUY
        story.shared = bought and self._held.get((story.ledger, story.token), 0) > 0
        stages = (Stage.SCAN, Stage.RESEARCH, Stage.FORECAST)
        known = [self._newest.get((story.market, stage)) for stage in stages]
        forecast = known[-1]
        if known[1] is not None and forecast is not None and known[1].proof != forecast.proof:
            known[1] = None  # evidence of an older forecast
        story.before = [row for row in known if row is not None]
        self._open = len(self._family)

    def _count(self, step: Step) -> None:
        story = self.story
        for effect in step.effects:
            match effect:
                case fx.SubmitOrder(order) if order.parent and order.parent in self._family:
                    self._family.add(order.id)
                case fx.OrderReviewed(order=id, parent=parent) if id and parent in self._family:
                    self._family.add(id)
                case fx.FillBooked(fill, realised):
                    key = fill.ledger, fill.token
                    self._held[key] = self._held.get(key, 0) + fill.side * fill.size
                    own = fill.order in self._family
                    story.filled += fill.size if own else 0
                    if own or (story.filled and self._here(key) and self._side is Side.BUY):
                        story.realised += realised
                        story.fees += fill.fee
                        story.shared = story.shared or (fill.side is Side.BUY and not own)
                case fx.PositionSettled(ledger=ledger, token=token, shares=shares):
                    key = ledger, token
                    self._held[key] = self._held.get(key, 0) - shares
                    if story.filled and self._here(key):
                        story.realised += effect.realised
                case fx.OrderChanged(order=id, state=state) if id == story.order:
                    self._open -= not state.open

    def _here(self, key: tuple[str, str]) -> bool:
        return self.begun and key == (self.story.ledger, self.story.token)

    def _sort(self, row: Decision, seq: int) -> None:
        story = self.story
        mine = row.order in self._family if row.order else not story.order
        if mine and row.stage in (Stage.EDGE, Stage.RISK, Stage.SIZE):
            if row.order or seq == self.found.step:
                story.reviews.append(row)
        elif row.order in self._family:
            story.execution.append(row)
        elif self._follows(row):
            if len(story.after) < MOST:
                story.after.append(row)
            else:
                story.more += 1

    def _follows(self, row: Decision) -> bool:
        story = self.story
        if not story.order or row.stage not in (Stage.EXECUTE, Stage.MONITOR):
            return False
        if row.stage is Stage.EXECUTE and "realised" not in row.facts:
            return False  # of other orders their fills are enough
        if not story.filled:
            return False  # it has no position whose later life could be told
        here = row.token == story.token or (not row.token and row.market == story.market)
        return here and row.ledger in ("", story.ledger)
