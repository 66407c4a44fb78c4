"""Nobody sells what he does not own or spends what he does not have."""

from __future__ import annotations

from polyframe import Protection


class Balance(Protection):
    """Unreserved cash for a purchase, own unreserved shares for a sale.

    Always installed; binds on every order.
    """

    scope = "venue"
    kernel = "balance"
