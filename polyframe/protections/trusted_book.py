"""No order on a book that is not to be believed."""

from __future__ import annotations

from polyframe import Protection


class TrustedBook(Protection):
    """Nothing while a market's book is stale, crossed, incomplete or a placeholder.

    Always installed; binds on every order.
    """

    scope = "venue"
    kernel = "trusted_book"
