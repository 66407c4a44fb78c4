"""What is wrong with a recorded price: one bit a finding.

A mid of a market without a real book is the middle of nothing. Whoever "buys" it shows a profit
that never was, so the simulator refuses to trade on rows with an UNQUOTED bit.
"""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """Findings about one recorded price: seven bits, the eighth belongs to the tape."""

    NONE = 0
    LEADING = 1
    """a stretch of exactly one half from the start of the market's life"""
    FLAT = 2
    """near one half, or not far from it, and not moving"""
    RELAPSE = 4
    """back at exactly one half in mid-life"""
    LADDER = 8
    """contradicts the prices of sibling strikes"""
    SPIKE = 16
    """a short visit: towards one half and back, or out of an unquoted stretch and back into one"""
    NEAR = 32
    """a plain row within a few rows of an unquoted one: tradable, but shown apart in reports"""
    GAP = 64
    """the first row after a hole"""


UNQUOTED = Flag.LEADING | Flag.FLAT | Flag.RELAPSE | Flag.LADDER | Flag.SPIKE
"""Rows with any of these bits never trade."""
