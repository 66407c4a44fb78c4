"""What protections say. Verdicts form a meet-semilattice ``Deny < Shrink(n) < Allow``."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from polyframe.domain.units import Size


class Ruling(IntEnum):
    """The four answers. NOT_APPLICABLE counts as ALLOW and is recorded."""

    DENY = 0
    SHRINK = 1
    ALLOW = 2
    NOT_APPLICABLE = 3


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One protection's answer about one intent. ``size`` is the greatest size it permits."""

    protection: str
    ruling: Ruling
    size: Size
    reason: str = ""
    binding: bool = True
    """False when the order reduces exposure and the protection only guards risk: recorded, but it
    must never trap a position."""

    @classmethod
    def from_size(
        cls, protection: str, permitted: Size, asked: Size, reason: str = "", binding: bool = True
    ) -> Verdict:
        """The verdict that a permitted size means."""
        if permitted <= 0:
            return cls(protection, Ruling.DENY, 0, reason, binding)
        if permitted < asked:
            return cls(protection, Ruling.SHRINK, permitted, reason, binding)
        return cls(protection, Ruling.ALLOW, asked, "", binding)


def meet(verdicts: tuple[Verdict, ...] | list[Verdict], asked: Size) -> Size:
    """The greatest size all binding verdicts permit. Order cannot matter: it is a minimum."""
    size = asked
    for verdict in verdicts:
        if verdict.binding and verdict.ruling is not Ruling.NOT_APPLICABLE:
            size = min(size, verdict.size)
    return max(size, 0)
