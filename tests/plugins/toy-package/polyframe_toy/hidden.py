"""A class that only a hook registers."""

from polyframe import Intent, Sizer, View


class Registered(Sizer):
    """Always one share."""

    def size(self, intent: Intent, price: int, view: View) -> int:
        """One share."""
        return 1_000_000
