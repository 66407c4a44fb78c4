"""Whether a market may be listed as it is meant to be."""

from __future__ import annotations

import re

from polyframe.errors import UserError
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import TICKS
from polyframe.sandbox.venue.records import PRICE_ONE, RATE, Listing

CONDITION = re.compile(r"0x[0-9a-f]{64}")
TOKEN = re.compile(r"[1-9][0-9]{0,77}")


def checked_tick(tick: int) -> int:
    """The tick, if the venue knows it.

    Raises:
        UserError: it does not.
    """
    if tick not in TICKS:
        known = ", ".join(f"{t / PRICE_ONE:g}" for t in TICKS)
        raise UserError(f"there is no tick of {tick / PRICE_ONE:g}", expected=f"one of {known}")
    return tick


def checked(listing: Listing, floor: Floor) -> None:
    """Nothing, if a market can be listed so.

    Raises:
        UserError: an id is listed already or has no right form, or a term is out of range.
    """
    name = f"market {listing.condition_id!r}"
    checked_tick(listing.tick)
    if not CONDITION.fullmatch(listing.condition_id):
        raise UserError(f"{name} cannot be listed", expected="0x and 64 small hex digits")
    if listing.condition_id in floor.markets:
        raise UserError(f"{name} is listed already", expected="each condition once")
    for token in listing.tokens:
        if not TOKEN.fullmatch(token) or token in floor.tokens:
            raise UserError(
                f"{name}: token {token!r} is listed already or no token id",
                expected="two new ids in decimal digits",
            )
    if listing.tokens[0] == listing.tokens[1] or len(set(listing.outcomes)) != 2:
        raise UserError(f"{name} has one outcome twice", expected="two tokens, two names")
    fees, rewards = listing.fees, listing.rewards
    amounts = {
        "fee rate": (fees.rate, RATE - 1),
        "fee exponent": (fees.exponent, 4),
        "rebate rate": (fees.rebate_rate, RATE),
        "daily reward": (rewards.daily, 2**53),
        "reward spread": (rewards.max_spread, 9_999),
        "reward size": (rewards.min_size, 2**53),
        "reward age": (rewards.min_age, 86_400),
        "minimum size": (listing.min_size, 2**53),
        "seconds of delay": (listing.seconds_delay, 3_600),
        "ms of delay": (listing.taker_delay_ms, 3_600_000),
        "holding rate": (listing.holding_rate, RATE),
    }
    for what, (value, most) in amounts.items():
        if not 0 <= value <= most:
            raise UserError(f"{name}: {what} {value}", expected=f"0 to {most}")
    group = floor.accounts.groups.get(listing.neg_risk_market_id)
    if group is not None and (group.credit or group.won):
        raise UserError(
            f"{name} comes too late to its event {listing.neg_risk_market_id}",
            expected="all outcomes listed before the first conversion and the first answer",
        )
    if listing.neg_risk and not listing.neg_risk_market_id:
        raise UserError(f"{name} is neg-risk without an event", expected="neg_risk_market_id")
