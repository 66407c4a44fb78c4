"""What all routes of the Data API work with: the world, the people, how far it lags behind.

Source: fields and types are those of rows recorded in 2026 (Polymarket/py-sdk's data_v2 fixtures,
hugompt/polymarket-microstructure-lab, shapes of qualiaenjoyer/polymarket-apis), of
polymarket-client 0.14.0's models, and of its migration guide.
"""

from __future__ import annotations

from typing import Any, Final

from polyframe.domain.units import Ns
from polyframe.sandbox.agents.people import People
from polyframe.sandbox.notices import Notices
from polyframe.sandbox.venue.history import Act, Deal
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.positions import Position
from polyframe.sandbox.venue.records import PRICE_ONE, SHARE_ONE
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import price_number, seconds, size_number
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Subject
from polyframe.sandbox.worlds.naming import hash_of, pseudonym_of

Row = dict[str, Any]

UNKNOWN_OUTCOME: Final = 999
"""an outcome's index where there is none"""


class Office:
    """The Data API's view of the world, as its indexer has written it so far."""

    def __init__(self, world: World, people: People, notices: Notices) -> None:
        self.world = world
        self.people = people
        self.notices = notices

    @property
    def venue(self) -> Venue:
        """The venue."""
        return self.world.venue

    @property
    def known(self) -> Ns:
        """The end of what is known."""
        return self.venue.now

    def subject(self, condition_id: str) -> Subject | None:
        """A market of the catalogue."""
        return self.world.catalogue.by_condition.get(condition_id)

    def market(self, condition_id: str) -> Market | None:
        """A market of the venue."""
        return self.venue.markets.get(condition_id)

    def about(self, condition_id: str) -> Row:
        """Title, slug, icon and event of a market; empty texts for none."""
        subject = self.subject(condition_id)
        if subject is None:
            return {"title": "", "slug": "", "icon": "", "event_slug": ""}
        return {
            "title": subject.ask.question,
            "slug": subject.ask.slug,
            "icon": "",
            "event_slug": subject.occasion.plot.slug,
        }

    def who(self, address: str) -> Row:
        """What is shown of a wallet's owner."""
        person = self.people.by_address.get(address.lower())
        return {
            "name": person.name if person else "",
            "pseudonym": pseudonym_of(address),
            "bio": "",
            "profile_image": "",
            "profile_image_optimized": "",
        }

    def outcome(self, condition_id: str, index: int) -> str:
        """An outcome's name, "" for none."""
        market = self.market(condition_id)
        return market.listing.outcomes[index] if market is not None and index in {0, 1} else ""

    def verified(self, address: str) -> bool:
        """Whether a wallet's owner has the venue's badge."""
        person = self.people.by_address.get(address.lower())
        return bool(person and person.verified)

    # ---- rows ------------------------------------------------------------------------------------

    def trade(self, deal: Deal) -> Row:
        """One side of a trade."""
        return {
            "proxy_wallet": deal.wallet.lower(),
            "side": deal.side,
            "token_id": deal.token_id,
            "condition_id": deal.condition_id,
            "size": size_number(deal.size),
            "price": price_number(deal.price),
            "timestamp": seconds(deal.at),
            **self.about(deal.condition_id),
            "outcome": self.outcome(deal.condition_id, deal.outcome),
            "outcome_index": deal.outcome,
            **self.who(deal.wallet),
            "transaction_hash": deal.transaction_hash,
        }

    def act(self, act: Act) -> Row:
        """One thing a wallet did or was paid."""
        return {
            "proxy_wallet": act.wallet.lower(),
            "timestamp": seconds(act.at),
            "condition_id": act.condition_id if act.kind in _OF_MARKETS else "",
            "type": act.kind,
            "is_combo": False,
            "size": size_number(act.size),
            "usdc_size": size_number(act.money),
            "transaction_hash": act.transaction_hash
            or hash_of(self.world.seed, act.kind, act.wallet, act.at, act.money),
            "price": price_number(act.price),
            "token_id": act.token_id,
            "side": act.side,
            "outcome_index": act.outcome if act.token_id else UNKNOWN_OUTCOME,
            **self.about(act.condition_id if act.kind in _OF_MARKETS else ""),
            "outcome": self.outcome(act.condition_id, act.outcome) if act.token_id else "",
            **self.who(act.wallet),
        }


_OF_MARKETS: Final = frozenset({"TRADE", "SPLIT", "MERGE", "REDEEM", "CONVERSION"})


class Worth:
    """A position at the current price. Money in pUSD, shares whole, prices of one share."""

    __slots__ = ("_position", "_venue", "market", "now", "other", "resolved")

    def __init__(self, office: Office, position: Position, market: Market) -> None:
        self._venue = office.venue
        self._position = position
        self.market = market
        self.other = market.listing.tokens[1 - position.outcome]
        self.now = office.venue.history.current(position.token_id)
        self.resolved = market.closed

    @property
    def value(self) -> int:
        """What its shares are worth."""
        return self._position.size * self.now // PRICE_ONE

    @property
    def average(self) -> float:
        """What a share was bought for: of those it has, else of all it ever had."""
        position = self._position
        if position.size:
            return position.cost / position.size
        return position.spent / position.bought if position.bought else 0.0

    @property
    def open_gain(self) -> int:
        """What selling now would gain."""
        return self.value - self._position.cost

    @property
    def gain(self) -> int:
        """All that it has gained and would gain now."""
        return self.open_gain + self._position.realized

    @property
    def status(self) -> str:
        """OPEN, REDEEMABLE or CLOSED."""
        if not self._position.size:
            return "CLOSED"
        return "REDEEMABLE" if self.resolved else "OPEN"

    @property
    def lost(self) -> bool:
        """It is held and pays nothing."""
        return self.resolved and bool(self._position.size) and not self.now

    @property
    def mergeable(self) -> bool:
        """Its wallet has both outcomes of a market that is not resolved."""
        wallet = self._venue.accounts.wallets.get(self._position.wallet.lower())
        both = wallet is not None and bool(wallet.shares.get(self.other))
        return both and bool(self._position.size) and not self.resolved


def share(part: int, of: int) -> float:
    """A part in percent."""
    return round(100.0 * part / of, 4) if of else 0.0


def dollars(money: int) -> float:
    """Money as a JSON number."""
    return money / SHARE_ONE
