"""Deeds at ``/debug``: money and shares moved by hand, markets answered, ticks changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from polyframe.sandbox.debug.bench import Bench, Route
from polyframe.sandbox.debug.bodies import (
    Answer,
    Approval,
    Conversion,
    Holding,
    Money,
    Row,
    Shares,
    Standing,
    Tick,
    Which,
    address,
    amount,
    body,
    decimal,
    done,
    outcome,
    state,
)
from polyframe.sandbox.door import Asked, Turned
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import MOST, Refused
from polyframe.sandbox.wire import size_text

PAIRS = '{"address", "condition_id", "size"}'


class Deeds:
    """What somebody may do by hand."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._venue = bench.venue

    def routes(self) -> list[Route]:
        """Its routes."""
        split, merge = (partial(self._pairs, act) for act in (self._venue.split, self._venue.merge))
        return [
            ("POST", "/fund", self._fund, '{"address", "amount"}: pUSD from nowhere'),
            ("POST", "/withdraw", self._withdraw, '{"address", "amount"}: pUSD to nowhere'),
            ("POST", "/approve", self._approve, '{"address", "amount"}; any without amount'),
            ("POST", "/split", split, f"{PAIRS}: pUSD into pairs"),
            ("POST", "/merge", merge, f"{PAIRS}: pairs into pUSD"),
            ("POST", "/redeem", self._redeem, '{"address", "condition_id"}'),
            (
                "POST",
                "/convert",
                self._convert,
                "{address, neg_risk_market_id, condition_ids, size}",
            ),
            ("POST", "/standing", self._standing, '{"address", "banned", "closed_only"}'),
            ("POST", "/propose", self._propose, '{"condition_id", "outcome"}: may be disputed'),
            ("POST", "/dispute", self._dispute, '{"condition_id"}'),
            ("POST", "/resolve", self._resolve, '{"condition_id", "outcome"}: for good'),
            ("POST", "/tick", self._tick, '{"condition_id", "tick": "0.001"}'),
            ("POST", "/pause", self._pause, '{"condition_id"}: no more orders'),
            ("POST", "/open", self._open, '{"condition_id"}: orders again'),
        ]

    # ---- money and shares ------------------------------------------------------------------------

    def _fund(self, asked: Asked) -> Row:
        wanted = body(asked, Money)
        self._venue.fund(address(wanted.address), amount(wanted.amount))
        return self._balance(wanted.address)

    def _withdraw(self, asked: Asked) -> Row:
        wanted = body(asked, Money)
        done(self._venue.withdraw(address(wanted.address), amount(wanted.amount)))
        return self._balance(wanted.address)

    def _approve(self, asked: Asked) -> Row:
        wanted = body(asked, Approval)
        money = MOST if wanted.amount is None else amount(wanted.amount, least=0)
        self._venue.approve(address(wanted.address), money=money, shares=wanted.shares)
        return self._balance(wanted.address)

    def _pairs(self, act: Callable[[str, str, int], Refused | None], asked: Asked) -> Row:
        wanted = body(asked, Shares)
        market = self._bench.market(wanted.condition_id)
        size = amount(wanted.size)
        done(act(address(wanted.address), market.condition_id, size))
        return self._balance(wanted.address, market)

    def _redeem(self, asked: Asked) -> Row:
        wanted = body(asked, Holding)
        market = self._bench.market(wanted.condition_id)
        paid = done(self._venue.redeem(address(wanted.address), market.condition_id))
        return {"paid": size_text(paid or 0), **self._balance(wanted.address, market)}

    def _convert(self, asked: Asked) -> Row:
        wanted = body(asked, Conversion)
        done(
            self._venue.convert(
                address(wanted.address),
                wanted.neg_risk_market_id,
                [self._bench.market(condition).condition_id for condition in wanted.condition_ids],
                amount(wanted.size),
            )
        )
        return self._balance(wanted.address)

    def _standing(self, asked: Asked) -> Row:
        wanted = body(asked, Standing)
        wallet = self._venue.wallet(address(wanted.address))
        wallet.banned, wallet.closed_only = wanted.banned, wanted.closed_only
        return {
            "address": wallet.address,
            "banned": wallet.banned,
            "closed_only": wallet.closed_only,
        }

    def _balance(self, address: str, market: Market | None = None) -> Row:
        row: Row = {"address": address, "balance": size_text(self._venue.balance(address).balance)}
        if market is not None:
            row["shares"] = {
                outcome: size_text(self._venue.balance(address, token).balance)
                for outcome, token in zip(
                    market.listing.outcomes, market.listing.tokens, strict=True
                )
            }
        return row

    # ---- the oracle ------------------------------------------------------------------------------

    def _propose(self, asked: Asked) -> Row:
        wanted = body(asked, Answer)
        market = self._bench.market(wanted.condition_id)
        self._venue.propose(market.condition_id, outcome(market, wanted.outcome))
        return state(market)

    def _dispute(self, asked: Asked) -> Row:
        market = self._bench.market(body(asked, Which).condition_id)
        self._venue.dispute(market.condition_id)
        return state(market)

    def _resolve(self, asked: Asked) -> Row:
        wanted = body(asked, Answer)
        market = self._bench.market(wanted.condition_id)
        self._venue.resolve(market.condition_id, outcome(market, wanted.outcome))
        return state(market)

    def _tick(self, asked: Asked) -> Row:
        wanted = body(asked, Tick)
        market = self._bench.market(wanted.condition_id)
        tick = decimal(wanted.tick) * 10_000
        if tick != tick.to_integral_value() or not 0 < tick < 10_000:
            raise Turned(400, "there is no such tick: 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001")
        self._venue.set_tick(market.condition_id, int(tick))
        return state(market)

    def _pause(self, asked: Asked) -> Row:
        market = self._bench.market(body(asked, Which).condition_id)
        self._venue.pause_market(market.condition_id)
        return state(market)

    def _open(self, asked: Asked) -> Row:
        market = self._bench.market(body(asked, Which).condition_id)
        self._venue.open_market(market.condition_id)
        return state(market)
