"""What a wallet lets the venue's contracts move of it.

Source: the rows are those of an answer recorded in September 2026 (dilettante-trading/polyoxide),
without what has no place here: USDC.e, sponsors, an older redeemer. Which of them a client needs
says approvals.py of polymarket-client 0.14.0.
"""

from __future__ import annotations

from typing import Final

from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.sandbox.data import asking
from polyframe.sandbox.data.office import Office, Row
from polyframe.sandbox.data.pages import whole_of
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.venue.records import MOST
from polyframe.sandbox.wire import iso

TRADING, PERPS, REDEEM = "trading", "perps", "auto-redeem"
USD, CTF, V2 = "collateral", "conditional_tokens", "position_manager"
ROWS: Final = (
    ("UsdcCtf", TRADING, USD, CTF),
    ("UsdcExchange", TRADING, USD, "exchange"),
    ("UsdcNegRiskExchange", TRADING, USD, "neg_risk_exchange"),
    ("UsdcNegRiskAdapter", TRADING, USD, "neg_risk_adapter"),
    ("UsdcCollateralAdapter", TRADING, USD, "collateral_adapter"),
    ("UsdcNegRiskCollateralAdapter", TRADING, USD, "neg_risk_collateral_adapter"),
    ("PusdV2Exchange", TRADING, USD, "exchange_v3"),
    ("PusdV2Router", TRADING, USD, "router"),
    ("PerpsPusdDeposit", PERPS, USD, "perps_deposit"),
    ("CtfExchangeIsApprovedForAll", TRADING, CTF, "exchange"),
    ("CtfNegRiskExchangeIsApprovedForAll", TRADING, CTF, "neg_risk_exchange"),
    ("CtfNegRiskAdapterIsApprovedForAll", TRADING, CTF, "neg_risk_adapter"),
    ("CtfCollateralAdapterIsApprovedForAll", TRADING, CTF, "collateral_adapter"),
    ("CtfNegRiskCollateralAdapterIsApprovedForAll", TRADING, CTF, "neg_risk_collateral_adapter"),
    ("V2PositionManagerRouterIsApprovedForAll", TRADING, V2, "router"),
    ("V2PositionManagerExchangeIsApprovedForAll", TRADING, V2, "exchange_v3"),
    ("AutoRedeemCtfV2Redeemer", REDEEM, CTF, "auto_redeem_operator"),
    ("AutoRedeemV2PositionManagerV2Redeemer", REDEEM, V2, "auto_redeem_operator"),
    ("CtfBinaryModuleIsApprovedForAll", TRADING, CTF, "binary_module"),
    ("CtfNegRiskModuleIsApprovedForAll", TRADING, CTF, "neg_risk_module"),
)
"""name, what for, the contract that has it, the contract that may move it"""


class Approvals:
    """The route about approvals."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._contracts = contracts_of(office.venue.chain_id)

    def enter(self, room: Room) -> None:
        """Adds the route."""
        room.add("GET", "/v2/approvals", self._approvals)

    def _approvals(self, asked: Asked) -> Row:
        """Every contract may do what the exchanges may, as the sandbox's chain has it too."""
        wallet = asking.user(asked) or ""
        money, shares = self._office.venue.accounts.allowed(wallet)
        amount = "max" if money == MOST else str(money)
        of_money = {"standard": "ERC20", "amount": amount, "approved": money > 0}
        of_shares = {"standard": "ERC1155", "approved": shares}
        return whole_of(
            {
                "address": wallet,
                "chain_id": self._contracts.chain_id,
                "checked_at": iso(self._office.known),
                "contracts": [
                    {
                        "id": name,
                        "feature": feature,
                        "token": self._address(token),
                        "spender": self._address(spender),
                        **(of_money if token == USD else of_shares),
                    }
                    for name, feature, token, spender in ROWS
                ],
            }
        )

    def _address(self, contract: str) -> str:
        return str(getattr(self._contracts, contract)).lower()
