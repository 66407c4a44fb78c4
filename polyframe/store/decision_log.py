"""A row of the decision log, the stages it can be of, and the words it is told in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from polyframe.domain.units import Money, Ns, format_units
from polyframe.domain.verdict import Ruling, Verdict


class Stage(StrEnum):
    """The stages of a decision, in order."""

    SCAN = "SCAN"
    """a market was looked at: asked about, or a wake condition held"""
    RESEARCH = "RESEARCH"
    """the evidence a forecaster had"""
    FORECAST = "FORECAST"
    """a forecaster answered or had no answer"""
    EDGE = "EDGE"
    """what a strategy wanted, what it believes and what that is worth after costs"""
    RISK = "RISK"
    """what each protection said"""
    SIZE = "SIZE"
    """what was asked, what was permitted and what the size was computed from"""
    EXECUTE = "EXECUTE"
    """sent, taken, filled, cancelled, refused"""
    MONITOR = "MONITOR"
    """exits, settlements, halts, a market's life, the session's"""


class Proof(msgspec.Struct, frozen=True):
    """Where a row stands: the step, the block's number and first byte, and the block's hash.

    The hash covers the block and all before it.
    """

    step: int
    block: int
    byte: int
    hash: str


class Decision(msgspec.Struct, frozen=True):
    """One row of the decision log. ``facts`` are the figures that ``text`` speaks of."""

    ts: Ns
    stage: Stage
    text: str
    ledger: str = ""
    market: str = ""
    token: str = ""
    order: str = ""
    facts: dict[str, Any] = {}
    proof: Proof = Proof(0, 0, 0, "")


_NOTHING_SAID = (Ruling.ALLOW, Ruling.NOT_APPLICABLE)


def short(order: str) -> str:
    """The part of an order's id that differs inside one session: ``-17``."""
    head, sign, number = order.rpartition("-")
    return sign + number if head else order


def amount(value: Money) -> str:
    """Money with its sign, to the unit."""
    return ("+" if value > 0 else "") + format_units(value, 6)


def told(verdict: Verdict, decimals: int) -> dict[str, Any]:
    """One verdict as facts."""
    return {
        "protection": verdict.protection,
        "ruling": verdict.ruling.name.lower(),
        "size": format_units(verdict.size, decimals),
        "reason": verdict.reason,
        "binding": verdict.binding,
    }


def ruled(verdicts: tuple[Verdict, ...], permitted: int, decimals: int) -> str:
    """What the protections said, in a line: the objections with their words, or that none had."""
    against = [v for v in verdicts if v.ruling not in _NOTHING_SAID]
    objections = [_objection(verdict, decimals) for verdict in against]
    asked = [v for v in verdicts if v.ruling is not Ruling.NOT_APPLICABLE]
    allowed = sum(v.ruling is Ruling.ALLOW for v in asked)
    verb = "allowed" if permitted else "denied"
    if any(v.binding for v in against) and permitted:
        verb = "made smaller"
    return "; ".join([f"{verb}, {allowed} of {len(asked)} without objection", *objections])


def _objection(verdict: Verdict, decimals: int) -> str:
    what = "denies"
    if verdict.ruling is Ruling.SHRINK:
        what = f"permits {format_units(verdict.size, decimals)}"
    text = f"{verdict.protection} {what}"
    text += f" ({verdict.reason})" if verdict.reason else ""
    return text if verdict.binding else f"{text}, not binding"
