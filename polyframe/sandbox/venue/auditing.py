"""Whether every pUSD and every share is accounted for, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from polyframe.sandbox.venue.accounts import Group, Wallet
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.matching import Match, needed
from polyframe.sandbox.venue.records import BUY, Audit
from polyframe.sandbox.venue.settling import Settling, parties
from polyframe.sandbox.venue.trading import amount_of


def quick(floor: Floor) -> Audit:
    """The running totals against each other, and the markets whose shares moved."""
    accounts = floor.accounts
    faults = list(_totals(floor, accounts.money, accounts.collateral, accounts.credit))
    faults += [_unbalanced(m) for m in accounts.touched.values() if not m.balanced()]
    accounts.touched.clear()
    return _audit(floor, faults)


def full(floor: Floor, settling: Settling) -> Audit:
    """Everything counted again from wallets, orders, books and matches."""
    accounts = floor.accounts
    wallets = accounts.wallets.values()
    money = sum(w.money for w in wallets)
    collateral = sum(m.collateral for m in floor.markets.values())
    credit = sum(g.credit for g in accounts.groups.values())
    faults = list(_totals(floor, money, collateral, credit))
    faults += _drift("money", accounts.money, money)
    faults += _drift("collateral", accounts.collateral, collateral)
    faults += _drift("credit", accounts.credit, credit)
    faults += _drift("reserved", accounts.active, sum(w.active for w in wallets))
    faults += _drift("matched", accounts.locked, sum(w.matched for w in wallets))
    faults += _shares(floor)
    matches = list(settling.open.values())
    locked, locked_shares = _locked(matches)
    for wallet in wallets:
        name = wallet.address
        faults += _promised(wallet, locked[name], locked_shares.get(name, Counter()))
    for market in floor.markets.values():
        faults += [] if market.balanced() else [_unbalanced(market)]
        faults += _book(market)
    for group in accounts.groups.values():
        faults += _group(group)
    return _audit(floor, faults)


def _audit(floor: Floor, faults: list[str]) -> Audit:
    accounts = floor.accounts
    return Audit(
        accounts.deposited,
        accounts.money,
        accounts.collateral,
        accounts.fees,
        accounts.credit,
        accounts.active,
        accounts.locked,
        len(floor.markets),
        len(accounts.wallets),
        tuple(faults),
    )


def _totals(floor: Floor, money: int, collateral: int, credit: int) -> Iterator[str]:
    accounts = floor.accounts
    found = money + collateral + accounts.fees - credit
    if found != accounts.deposited:
        yield f"money: {accounts.deposited} came in and {found} is there"
    if accounts.fees < 0:
        yield f"fees: {-accounts.fees} more was paid back than taken"


def _drift(name: str, total: int, counted: int) -> list[str]:
    return [f"{name}: the total says {total}, counted are {counted}"] if total != counted else []


def _unbalanced(market: Market) -> str:
    return (
        f"market {market.condition_id}: {market.held} in wallets, {market.supply} exist, "
        f"{market.collateral} behind them"
    )


def _shares(floor: Floor) -> Iterator[str]:
    """What wallets and vaults hold against what markets count."""
    held: Counter[str] = Counter()
    for wallet in floor.accounts.wallets.values():
        held.update(wallet.shares)
    for group in floor.accounts.groups.values():
        held.update(group.vault.shares)
    for token, (market, outcome) in floor.tokens.items():
        yield from _drift(f"shares of {token}", market.held[outcome], held.pop(token, 0))
    for token, size in held.items():
        yield f"shares: {size} of {token}, which is not listed"


def _locked(matches: list[Match]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """What matches will take, by wallet; shares by token too."""
    money: Counter[str] = Counter()
    shares: dict[str, Counter[str]] = {}
    for match in matches:
        taker = (match.money + match.fee, match.size)
        amounts = [taker, *((leg.fill.money, leg.fill.size) for leg in match.legs)]
        for (wallet, order), (paid, size) in zip(parties(match), amounts, strict=True):
            if order.side == BUY:
                money[wallet.address] += paid
            else:
                shares.setdefault(wallet.address, Counter())[order.token_id] += size
    return money, shares


def _promised(wallet: Wallet, locked: int, locked_shares: Counter[str]) -> Iterator[str]:
    """Reservations against open orders, locks against matches."""
    name = wallet.address
    if wallet.money < 0 or any(size <= 0 for size in wallet.shares.values()):
        yield f"wallet {name}: an amount below nothing"
    active, shares = 0, Counter[str]()
    for order in wallet.orders.values():
        keeps = needed(order) if order.slot else amount_of(order)
        yield from _drift(f"order {order.id}", order.held, keeps)
        if not order.open:
            yield f"order {order.id}: it ended and is still with wallet {name}"
        if order.side == BUY:
            active += order.held
        else:
            shares[order.token_id] += order.held
    yield from _drift(f"wallet {name}, reserved", wallet.active, active)
    if wallet.active_shares != dict(shares):
        yield f"wallet {name}: {wallet.active_shares} reserved, open orders need {dict(shares)}"
    yield from _drift(f"wallet {name}, matched", wallet.matched, locked)
    if wallet.matched_shares != dict(locked_shares):
        yield f"wallet {name}: {wallet.matched_shares} locked, matches take {dict(locked_shares)}"


def _book(market: Market) -> Iterator[str]:
    """The book's slots against the orders that rest in them."""
    book = market.book
    yield from _drift(f"book {market.condition_id}", book.count, len(market.resting))
    sizes: Counter[int] = Counter()
    for slot, order in market.resting.items():
        price = 10_000 - order.price if order.outcome else order.price
        sizes[price] += order.left
        if order.slot != slot or book.open(slot) != order.left:
            yield f"order {order.id}: {order.left} left, {book.open(slot)} in the book"
    levels = dict(book.levels(1)) | dict(book.levels(-1))
    if levels != dict(sizes):
        yield f"book {market.condition_id}: levels {levels}, orders {dict(sizes)}"
    if not 0 <= book.bid < book.ask <= 10_000:
        yield f"book {market.condition_id}: {book.bid} is bid and {book.ask} asked"


def _group(group: Group) -> Iterator[str]:
    """A vault has equal NO of all open outcomes, of which all but one will pay."""
    open = group.unresolved()
    sizes = {group.vault.shares.get(m.listing.tokens[1], 0) for m in open} or {0}
    owed = min(sizes) * (len(open) - (0 if group.won else 1)) if open else 0
    if len(sizes) > 1 or owed != group.credit:
        yield f"event {group.id}: it owes {group.credit}, its vault will get {owed}"
