"""What goes into the venue and comes out of it, free of any wire format.

Units: money millionths of a pUSD, sizes millionths of a share, prices ten-thousandths, rates
millionths, times ns UTC, where a name does not say otherwise. Token ids are decimal texts,
condition ids and hashes "0x" and 64 hex digits, sides "BUY" and "SELL".
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from polyframe.domain.units import RATE_ONE

PRICE_ONE = 10_000
SHARE_ONE = 1_000_000
BUY, SELL = "BUY", "SELL"
MOST = 2**256 - 1
"""an allowance without end"""


class State(StrEnum):
    """Where in its life a market stands."""

    LISTED = "listed"
    """shown in the catalogue, no book yet"""
    OPEN = "open"
    PAUSED = "paused"
    PROPOSED = "proposed"
    """an answer was proposed: the book is gone, the answer may be disputed"""
    DISPUTED = "disputed"
    RESOLVED = "resolved"


class FeeTerms(Struct, frozen=True):
    """What takers pay in a market: shares x rate x (p x (1 - p)) ** exponent.

    Source: docs.polymarket.com/trading/fees.
    """

    rate: int = 0
    exponent: int = 1
    rebate_rate: int = 0
    """the part of it that makers get back"""
    kind: str | None = None
    """the venue's name for the schedule, such as politics_fees"""
    taker_only: bool = True


class RewardTerms(Struct, frozen=True):
    """What a market pays a day for orders that rest near the mid; nothing without ``daily``.

    Source: docs.polymarket.com/market-makers/liquidity-rewards.
    """

    daily: int = 0
    min_size: int = 0
    max_spread: int = 0
    """ten-thousandths: 3.5 cents are 350"""
    min_age: int = 0
    """seconds"""


class Listing(Struct, frozen=True):
    """The terms on which a market is listed. ``tokens[0]`` is YES, whose price the book has."""

    condition_id: str
    tokens: tuple[str, str]
    outcomes: tuple[str, str] = ("Yes", "No")
    question_id: str = ""
    question: str = ""
    slug: str = ""
    category: str = ""
    tick: int = 100
    min_size: int = 5 * SHARE_ONE
    fees: FeeTerms = FeeTerms()
    rewards: RewardTerms = RewardTerms()
    neg_risk: bool = False
    neg_risk_market_id: str = ""
    """the event's id: markets that share it are outcomes of one question, of which one wins"""
    complete: bool = True
    """all outcomes of the neg-risk event are listed here, so that exactly one of them will win"""
    seconds_delay: int = 0
    """whole seconds a marketable order waits; its answer is ``delayed``"""
    taker_delay_ms: int = 0
    """ms a marketable order waits before its answer is given"""
    clear_book_on_start: bool = False
    game_start: int = 0
    ends: int = 0
    """when trading should be over by the question; the venue itself does not act on it"""
    auto_tick: bool = False
    """a trade above 0.96 or below 0.04 makes a tick of 0.01 one of 0.001"""
    holding_rate: int = 0
    """what a year of holding either outcome earns, of the position's value"""


class ApiKey(Struct, frozen=True):
    """An API key of a signer. The venue knows orders by ``key`` alone."""

    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int = 0
    created: int = 0
    readonly: bool = False


class SignedOrder(Struct, frozen=True):
    """An order as it was signed; amounts in millionths. The signature has been checked already."""

    hash: str
    maker: str
    signer: str
    token_id: str
    maker_amount: int
    taker_amount: int
    side: str
    expiration: int = 0
    """seconds since 1970; 0 for none"""
    salt: int = 0
    signature_type: int = 0
    timestamp: int = 0
    """ms"""
    metadata: str = "0x" + "0" * 64
    builder: str = "0x" + "0" * 64
    signature: str = ""


class Order(Struct):
    """An order that the venue took, as it stands now. Price and size are of its own token."""

    id: str
    owner: str
    """the API key it came with"""
    maker: str
    """address of the wallet that pays"""
    condition_id: str
    token_id: str
    outcome: int
    side: str
    price: int
    size: int
    order_type: str
    created: int
    expiration: int = 0
    """seconds since 1970; 0 for none"""
    matched: int = 0
    status: str = "LIVE"
    trades: list[str] = field(default_factory=list)
    signer: str = ""
    signature_type: int = 0
    builder: str = ""
    post_only: bool = False
    budget: int = -1
    """money that a FOK or FAK BUY may spend; -1 where shares are counted"""
    closed: int = 0
    """when it stopped being open; 0 while it is"""
    slot: int = 0
    """its row in the book; 0 while it does not rest"""
    held: int = 0
    """money or shares it reserves now"""
    signed: bool = False
    """it came with a signature; what happens to the others is told to nobody"""

    @property
    def open(self) -> bool:
        """It rests in the book or waits for its delay."""
        return self.closed == 0

    @property
    def left(self) -> int:
        """Shares not matched yet; a BUY that spends money may have got more than it counted on."""
        return max(self.size - self.matched, 0)


class MakerFill(Struct, frozen=True):
    """What one resting order gave to a trade, in terms of its own token."""

    order_id: str
    owner: str
    address: str
    token_id: str
    outcome: int
    side: str
    price: int
    size: int
    money: int
    """what it paid (BUY) or got (SELL)"""


class Trade(Struct):
    """What a taker's order matched at one price, in terms of the taker's token."""

    id: str
    transaction_hash: str
    """shared by all trades of one match"""
    condition_id: str
    token_id: str
    outcome: int
    side: str
    price: int
    size: int
    money: int
    """what the taker paid (BUY) or got (SELL), without the fee"""
    fee: int
    taker_order_id: str
    owner: str
    address: str
    makers: tuple[MakerFill, ...]
    matched_at: int
    updated_at: int
    bucket: int = 0
    status: str = "MATCHED"
    """MATCHED, MINED, CONFIRMED, RETRYING or FAILED"""
    builder: str = ""


class Placed(Struct, frozen=True):
    """The venue's answer to an order that it took."""

    order_id: str
    status: str
    """live, matched, delayed or unmatched"""
    making: int = 0
    """matched so far: money of a BUY, shares of a SELL"""
    taking: int = 0
    trade_ids: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    ready_at: int = 0
    """> 0: the answer is not known before; hold the call until then, then ask ``Venue.outcome``"""
    error: str = ""


class Refused(Struct, frozen=True):
    """The venue's refusal: an HTTP status and the text of ``error``."""

    text: str
    status: int = 400
    code: str = ""
    retry_after: int = 0
    order_id: str = ""


class Cancelled(Struct, frozen=True):
    """Which orders were cancelled, and why the others were not."""

    canceled: tuple[str, ...] = ()
    not_canceled: dict[str, str] = {}


class Beat(Struct, frozen=True):
    """The id to send with the next heartbeat; ``error`` when the one sent was wrong."""

    heartbeat_id: str
    error: str = ""


class Levels(Struct, frozen=True):
    """A token's book: (price, size) from the best to the worst."""

    bids: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, int], ...] = ()


class Balance(Struct, frozen=True):
    """What a wallet has of one asset on chain and how much of it the exchanges may move."""

    balance: int
    allowance: int
    reserved: int = 0
    """by open orders"""
    matched: int = 0
    """by trades that are not mined yet"""


class Change(Struct, frozen=True):
    """A level of a book and what rests on it now; in YES price, ``side`` of the YES token."""

    side: str
    price: int
    size: int


class Audit(Struct, frozen=True):
    """Whether all money and all shares are accounted for; ``faults`` names what is not."""

    deposited: int
    wallets: int
    collateral: int
    """behind pairs of outcome tokens"""
    fees: int
    """taken and not paid back"""
    credit: int
    """money that neg-risk conversions paid out of what cannot lose any more"""
    reserved: int
    matched: int
    markets: int
    accounts: int
    faults: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Nothing is missing and nothing is too much."""
        return not self.faults


# ---- what the venue tells ------------------------------------------------------------------------


class Told(Struct, frozen=True, tag=True):
    """Something that happened and that somebody may have subscribed to."""

    at: int


class BookMoved(Told, frozen=True):
    """Levels of a book changed; the best prices are those after it (0 and 10000: none)."""

    condition_id: str
    changes: tuple[Change, ...]
    bid: int
    ask: int


class BookShown(Told, frozen=True):
    """A trade changed a book: whoever shows whole books shows it again, see ``Venue.book``."""

    condition_id: str


class OrderTold(Told, frozen=True):
    """An order was placed, changed or ended: ``kind`` PLACEMENT, UPDATE or CANCELLATION."""

    kind: str
    order_id: str
    owner: str
    maker: str
    condition_id: str
    token_id: str
    outcome: int
    side: str
    price: int
    size: int
    matched: int
    status: str
    order_type: str
    created: int
    expiration: int
    trades: tuple[str, ...]


class TradeTold(Told, frozen=True):
    """A trade reached a status. With MATCHED it is also the last trade of its market."""

    trade: Trade
    status: str


class TickChanged(Told, frozen=True):
    """A market's tick is another one now."""

    condition_id: str
    old: int
    new: int


class MarketListed(Told, frozen=True):
    """A market was listed."""

    condition_id: str


class MarketMoved(Told, frozen=True):
    """A market went from one state to another."""

    condition_id: str
    old: State
    new: State


class MarketResolved(Told, frozen=True):
    """A market was resolved; ``winner`` is the outcome's index, -1 where both pay one half."""

    condition_id: str
    winner: int


RATE = RATE_ONE
"""rates are in millionths"""
