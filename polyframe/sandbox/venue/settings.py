"""What a venue is set up with."""

from __future__ import annotations

from msgspec import Struct

from polyframe.domain.units import MILLISECOND, MINUTE, SECOND


class Settings(Struct, frozen=True):
    """How a venue behaves where the real one's behaviour varies or is not known."""

    seed: int = 0
    mined_after: int = 2 * SECOND
    """from a match to its transaction in a block"""
    confirmed_after: int = 4 * SECOND
    """from the block to the end"""
    retry_after: int = 3 * SECOND
    """from a transaction that did not get through to the next attempt"""
    jitter: int = 500 * MILLISECOND
    """added to each of these delays at most"""
    failing: float = 0.0
    """part of the matches whose settlement fails"""
    retrying: float = 0.0
    """part of the matches that need a second attempt"""
    liveness: int = 120 * MINUTE
    """how long a proposed answer may be disputed"""
    beat_within: int = 10 * SECOND
    """a heartbeat later than this cancels all orders of its key"""
    beat_checked: int = 5 * SECOND
    expires_before: int = 60
    """seconds before its stated time a GTD order is dropped"""
    least_expiration: int = 60
    """seconds from now the stated time must be away; UNSURE at the venue, its client asks 180"""
    least_marketable: int = 1_000_000
    """money of a marketable BUY"""
    least_paid: int = 1_000_000
    """money of a day's rewards or rebates; less is not paid"""
    kept_orders: int = 20_000
    """closed orders that can still be asked for"""
    kept_trades: int = 100_000
    """rows that the Data API can still show"""
    kept_own_trades: int = 2_000
    """trades that an API key can still ask for"""
