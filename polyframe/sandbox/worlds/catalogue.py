"""What the venue's catalogue knows: events, their markets, tags and series."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from polyframe.domain.market import GroupKind
from polyframe.domain.units import MONEY_ONE, Ns
from polyframe.sandbox.about import About, nothing_known
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import Listing, State
from polyframe.sandbox.worlds.belief import Belief
from polyframe.sandbox.worlds.naming import address_of, hash_of, token_of
from polyframe.sandbox.worlds.plots import Ask, Plot
from polyframe.sandbox.worlds.terms import Terms, terms_of

FIRST_EVENT: Final = 20_000
FIRST_MARKET: Final = 500_000
# Source: the ids of these tags at the venue. All others are numbered here.
TAG_IDS: Final = {"sports": 1, "politics": 2, "crypto": 21, "finance": 120, "all": 100_639}
FIRST_TAG: Final = 103_000
FIRST_SERIES: Final = 10_100
BOND: Final = 500 * MONEY_ONE
ORACLE_REWARD: Final = 5 * MONEY_ONE


@dataclass(frozen=True, slots=True)
class Tag:
    """A label of events."""

    id: int
    label: str
    slug: str


@dataclass(slots=True)
class Chain:
    """A series: events that follow each other."""

    id: int
    slug: str
    title: str
    recurrence: str
    events: list[Occasion] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Subject:
    """A market of the catalogue, with what the world knows of it and nobody else."""

    id: int
    occasion: Occasion
    ask: Ask
    belief: Belief
    terms: Terms
    condition_id: str
    tokens: tuple[str, str]
    question_id: str
    market: Market | None = None
    """at the venue; None before it is listed"""
    decided: int | None = None
    """the answer once it has been given, or follows from another market's"""

    @property
    def winner(self) -> int:
        """The answer: 0, 1, or -1 for one half each."""
        return self.ask.winner if self.decided is None else self.decided

    @property
    def weight(self) -> float:
        """How much is traded in it, beside others."""
        return self.terms.weight

    @property
    def trading(self) -> bool:
        """It takes orders."""
        return self.market is not None and self.market.state is State.OPEN

    def listing(self) -> Listing:
        """The terms on which the venue lists it."""
        occasion, terms, plot = self.occasion, self.terms, self.occasion.plot
        return Listing(
            condition_id=self.condition_id,
            tokens=self.tokens,
            outcomes=self.ask.outcomes,
            question_id=self.question_id,
            question=self.ask.question,
            slug=self.ask.slug,
            category=plot.category,
            tick=terms.tick,
            min_size=terms.min_size,
            fees=terms.fees,
            rewards=terms.rewards,
            neg_risk=occasion.neg_risk,
            neg_risk_market_id=occasion.neg_risk_id,
            complete=plot.complete,
            seconds_delay=terms.seconds_delay,
            taker_delay_ms=terms.taker_delay_ms,
            clear_book_on_start=terms.clear_book_on_start,
            game_start=occasion.game_start,
            ends=plot.closes,
            auto_tick=terms.auto_tick,
            holding_rate=terms.holding_rate,
        )


@dataclass(slots=True, eq=False)
class Occasion:
    """An event of the catalogue."""

    id: int
    plot: Plot
    tags: tuple[Tag, ...]
    chain: Chain | None
    neg_risk_id: str
    resolver: str
    subjects: list[Subject] = field(default_factory=list)

    @property
    def neg_risk(self) -> bool:
        """Its markets are outcomes of one question."""
        return bool(self.neg_risk_id)

    @property
    def game_start(self) -> Ns:
        """When its match begins; 0 for what is no match."""
        return self.plot.opened + self.plot.game if self.plot.game else 0

    @property
    def closed(self) -> bool:
        """All its markets have a final answer."""
        return all(s.market is not None and s.market.closed for s in self.subjects)

    @property
    def description(self) -> str:
        """What its markets say of how they are answered."""
        plot = self.plot
        first, second = plot.asks[0].outcomes
        how = "a price drawn beforehand" if plot.native else "an answer drawn beforehand"
        return (
            f'A market of the polyframe sandbox, for play money. It will resolve to "{first}" or '
            f'to "{second}" by {how} from the sandbox\'s seed and its data ({plot.source}).'
        )


class Catalogue:
    """All events and markets that were ever shown, by id, slug and condition."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.occasions: dict[int, Occasion] = {}
        self.subjects: dict[int, Subject] = {}
        self.by_condition: dict[str, Subject] = {}
        self.by_token: dict[str, Subject] = {}
        self.by_slug: dict[str, Subject] = {}
        self.occasions_by_slug: dict[str, Occasion] = {}
        self.tags: dict[str, Tag] = {}
        self.chains: dict[str, Chain] = {}

    def enter(self, plot: Plot, *, title: str = "", recurrence: str = "") -> Occasion:
        """Shows an event; its markets are not listed at the venue yet."""
        chain = self._chain(plot.series, title, recurrence) if plot.series else None
        exclusive = plot.kind is GroupKind.EXCLUSIVE and len(plot.asks) > 1
        group = hash_of(self._seed, "group", plot.key)[:-2] + "00" if exclusive else ""
        labels = ("All", plot.category.capitalize(), *plot.tags)
        occasion = Occasion(
            FIRST_EVENT + len(self.occasions),
            plot,
            tuple(self._tag(label) for label in dict.fromkeys(labels)),
            chain,
            group,
            address_of(self._seed, "oracle"),
        )
        self.occasions[occasion.id] = occasion
        self.occasions_by_slug[plot.slug] = occasion
        if chain is not None:
            chain.events.append(occasion)
        for index, ask in enumerate(plot.asks):
            self._enter(occasion, ask, index)
        return occasion

    def _enter(self, occasion: Occasion, ask: Ask, index: int) -> None:
        seed, plot = self._seed, occasion.plot
        own = hash_of(seed, "question", ask.key)
        grouped = f"{occasion.neg_risk_id[:-2]}{index:02x}"
        subject = Subject(
            FIRST_MARKET + len(self.subjects),
            occasion,
            ask,
            Belief(plot, ask, seed),
            terms_of(plot, ask, seed),
            hash_of(seed, "condition", ask.key),
            (token_of(seed, "token", ask.key, 0), token_of(seed, "token", ask.key, 1)),
            grouped if occasion.neg_risk else own,
        )
        occasion.subjects.append(subject)
        self.subjects[subject.id] = subject
        self.by_condition[subject.condition_id] = subject
        self.by_slug[ask.slug] = subject
        for token in subject.tokens:
            self.by_token[token] = subject

    def about(self, market: Market, /) -> About:
        """What can be said about a market beyond what the venue knows."""
        subject = self.by_condition.get(market.condition_id)
        if subject is None:
            return nothing_known(market)
        occasion = subject.occasion
        return About(
            id=str(subject.id),
            description=occasion.description,
            group_title=subject.ask.title,
            tags=tuple(tag.label for tag in occasion.tags),
            event_id=str(occasion.id),
            event_slug=occasion.plot.slug,
            event_title=occasion.plot.title,
            event_description=occasion.description,
            series_slug=occasion.plot.series,
        )

    def _tag(self, label: str) -> Tag:
        slug = slug_of(label)
        tag = self.tags.get(slug)
        if tag is None:
            tag = Tag(TAG_IDS.get(slug, FIRST_TAG + len(self.tags)), label, slug)
            self.tags[slug] = tag
        return tag

    def _chain(self, slug: str, title: str, recurrence: str) -> Chain:
        chain = self.chains.get(slug)
        if chain is None:
            chain = Chain(FIRST_SERIES + len(self.chains), slug, title or slug, recurrence)
            self.chains[slug] = chain
        return chain


def slug_of(label: str) -> str:
    """A label as addresses have it."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
