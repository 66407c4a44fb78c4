"""What a key may read of its own: orders, trades, balances, notices, what its builder brought."""

from __future__ import annotations

from typing import Final

from polyframe.domain.units import SECOND
from polyframe.errors import WireError
from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.exchanges.polymarket.curve import hex_bytes
from polyframe.sandbox.clob.pages import page
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.rows import Row, order_row, trade_row
from polyframe.sandbox.venue.records import ApiKey, Order, Trade
from polyframe.sandbox.wire import price_text, seconds, size_text

# Rows of a page. UNSURE at the venue.
PAGE: Final = 500
MOST_SCORED: Final = 1_000
ASSETS: Final = {"COLLATERAL", "CONDITIONAL", "CONDITIONAL-V2"}


class Reads:
    """The routes that read an account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/data/orders", self._orders)
        room.add("GET", "/data/order/{id}", self._order)
        room.add("GET", "/data/trades", self._trades)
        room.add("GET", "/data/pre-migration-orders", self._old_orders)
        room.add("GET", "/balance-allowance", self._balance)
        room.add("GET", "/balance-allowance/update", self._update)
        room.add("GET", "/notifications", self._notices)
        room.add("DELETE", "/notifications", self._drop)
        room.add("GET", "/order-scoring", self._scoring)
        room.add("POST", "/orders-scoring", self._scorings)
        room.add("GET", "/builder/trades", self._builder_trades)
        room.add("GET", "/fees/builder-fees/{code}", self._builder_fees)

    def _orders(self, asked: Asked) -> Row:
        key = self._desk.caller(asked, reads=True)
        orders = self._desk.venue.orders_of(
            self._owner(key),
            market=asked.one("market").lower() or None,
            asset_id=asked.one("asset_id") or None,
        )
        wanted = asked.one("id")
        if wanted:
            orders = [order for order in orders if order.id == wanted]
        return page(asked, orders, PAGE, self._order_row)

    def _order(self, asked: Asked) -> Row:
        key = self._desk.caller(asked, reads=True)
        order = self._desk.venue.order(asked.values["id"])
        if order is None or order.owner != self._owner(key):
            raise Turned(404, "Order not found")
        return self._order_row(order)

    def _order_row(self, order: Order) -> Row:
        market = self._desk.venue.markets[order.condition_id]
        return order_row(order, market.listing.outcomes[order.outcome])

    def _trades(self, asked: Asked) -> Row:
        key = self._desk.caller(asked, reads=True)
        owner = self._owner(key)
        trades = self._desk.venue.trades_of(
            owner,
            market=asked.one("market").lower() or None,
            asset_id=asked.one("asset_id") or None,
        )
        before, after = asked.number("before"), asked.number("after")
        wanted, maker = asked.one("id"), asked.one("maker_address").lower()
        found = [
            trade
            for trade in trades
            if (not wanted or trade.id == wanted)
            and (before is None or trade.matched_at < before * SECOND)
            and (after is None or trade.matched_at > after * SECOND)
            and (not maker or maker in _wallets_in(trade, owner))
        ]
        return page(asked, found, PAGE, lambda trade: self._trade_row(trade, owner))

    def _trade_row(self, trade: Trade, owner: str) -> Row:
        """A trade; the status has the prefix that the venue's REST answers give it.

        Source: models/clob/account.py of polymarket-client 0.14.0.
        """
        market = self._desk.venue.markets[trade.condition_id]
        status = f"TRADE_STATUS_{trade.status}"
        return trade_row(trade, market, status, taker=trade.owner == owner)

    def _old_orders(self, asked: Asked) -> Row:
        """Orders of before the venue's migration, of which a sandbox has none."""
        self._desk.caller(asked, reads=True)
        return page(asked, [], PAGE, lambda row: row)

    def _balance(self, asked: Asked) -> Row:
        key = self._desk.caller(asked, reads=True)
        wallet, token = self._asset(asked, key)
        balance = self._desk.venue.balance(wallet, token)
        contracts = contracts_of(self._desk.venue.chain_id)
        spenders = (
            contracts.exchange,
            contracts.neg_risk_exchange,
            contracts.neg_risk_adapter,
            contracts.exchange_v3,
        )
        return {
            "balance": str(balance.balance),
            "allowances": {spender: str(balance.allowance) for spender in spenders},
        }

    def _update(self, asked: Asked) -> str:
        """Refreshes the venue's idea of a balance, which is never out of date here."""
        key = self._desk.caller(asked, reads=True)
        self._asset(asked, key)
        return ""

    def _asset(self, asked: Asked, key: ApiKey) -> tuple[str, str | None]:
        kind = asked.one("asset_type")
        if kind not in ASSETS:
            raise Turned(400, "Invalid asset type")
        wallet = self._desk.meant(asked, key)
        if kind == "COLLATERAL":
            return wallet, None
        token = asked.one("token_id")
        if not (token.isascii() and token.isdigit()):
            raise Turned(400, "Invalid token id")
        if token not in self._desk.venue.tokens:
            raise Turned(404, "market not found")
        return wallet, token

    def _notices(self, asked: Asked) -> list[Row]:
        """What happened to the key's orders, whichever of its wallets they came from."""
        key = self._desk.caller(asked, reads=True)
        self._desk.meant(asked, key)
        return self._desk.notices.of(self._owner(key))

    def _drop(self, asked: Asked) -> str:
        key = self._desk.caller(asked)
        self._desk.notices.drop(key.key, asked.many("ids"))
        return "OK"

    def _scoring(self, asked: Asked) -> Row:
        self._desk.caller(asked, reads=True)
        wanted = asked.one("order_id")
        if not wanted:
            raise Turned(400, "Invalid order_id")
        return {"scoring": self._desk.venue.scoring(wanted)}

    def _scorings(self, asked: Asked) -> dict[str, bool]:
        self._desk.caller(asked, reads=True)
        wanted = asked.json()
        if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
            raise Turned(400, "Invalid payload")
        if len(wanted) > MOST_SCORED:
            raise Turned(400, "Payload exceeds the limit")
        return {each: self._desk.venue.scoring(each) for each in wanted}

    def _builder_trades(self, asked: Asked) -> Row:
        """Trades of orders that carried a builder's code.

        Source: the fields are those of models/clob/builder.py of polymarket-client 0.14.0.
        """
        code = _builder_code(asked.one("builder_code"))
        market, asset, wanted = asked.one("market"), asked.one("asset_id"), asked.one("id")
        before, after = asked.number("before"), asked.number("after")
        found = [
            trade
            for trade in self._desk.notices.brought(code)
            if (not market or trade.condition_id == market.lower())
            and (not asset or trade.token_id == asset)
            and (not wanted or trade.id == wanted)
            and (before is None or trade.matched_at < before * SECOND)
            and (after is None or trade.matched_at > after * SECOND)
        ]
        return page(asked, found, PAGE, self._builder_row)

    def _builder_row(self, trade: Trade) -> Row:
        market = self._desk.venue.markets[trade.condition_id]
        return {
            "id": trade.id,
            "tradeType": "TAKER",
            "takerOrderHash": trade.taker_order_id,
            "builder": trade.builder,
            "market": trade.condition_id,
            "assetId": trade.token_id,
            "side": trade.side,
            "size": size_text(trade.size),
            "sizeUsdc": size_text(trade.money),
            "price": price_text(trade.price),
            "status": f"TRADE_STATUS_{trade.status}",
            "outcome": market.listing.outcomes[trade.outcome],
            "outcomeIndex": trade.outcome,
            "owner": trade.owner,
            "maker": trade.address,
            "transactionHash": trade.transaction_hash,
            "matchTime": str(seconds(trade.matched_at)),
            "bucketIndex": trade.bucket,
            "fee": size_text(trade.fee),
            "feeUsdc": size_text(trade.fee),
            "err_msg": None,
            "createdAt": str(seconds(trade.matched_at)),
            "updatedAt": str(seconds(trade.updated_at)),
        }

    def _builder_fees(self, asked: Asked) -> Row:
        fees = self._desk.builder_fees.get(_builder_code(asked.values["code"]))
        if fees is None:
            raise Turned(404, "builder code not found")
        maker, taker = fees
        return {"builder_maker_fee_rate_bps": maker, "builder_taker_fee_rate_bps": taker}

    def _owner(self, key: ApiKey) -> str:
        """The key whose orders a key reads: a read-only key reads its owner's first key's."""
        if not key.readonly:
            return key.key
        mine = self._desk.keys.of(key.address)
        return mine[0].key if mine else key.key


def _wallets_in(trade: Trade, owner: str) -> set[str]:
    """The wallets that a key had in a trade, in small letters."""
    mine = {fill.address.lower() for fill in trade.makers if fill.owner == owner}
    return mine | {trade.address.lower()} if trade.owner == owner else mine


def _builder_code(text: str) -> str:
    try:
        return "0x" + hex_bytes(text, 32, "builder_code").hex()
    except WireError as error:
        raise Turned(400, "Invalid builder code") from error
