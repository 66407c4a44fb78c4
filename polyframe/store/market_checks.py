"""What can be wrong with a market table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from polyframe.domain.market import GroupKind
from polyframe.errors import DataError
from polyframe.store.findings import Finding, Severity, per_market
from polyframe.store.rows import to_market, to_resolution

if TYPE_CHECKING:
    from pandas import DataFrame


def check_markets(file: str, frame: DataFrame) -> Iterator[Finding]:
    """Double ids and tokens, impossible lives, groups that contradict themselves, no outcome."""
    error = Severity.ERROR
    double = frame[frame["market_id"].duplicated()]
    yield from per_market(error, "duplicate market", file, double, "its id stands there twice")
    tokens = pd.concat([frame["token_0"], frame["token_1"].dropna()])
    shared = tokens[tokens.duplicated(keep=False)].index
    yield from per_market(error, "shared token", file, frame.loc[shared.unique()],
                          "another market or outcome has its token")  # fmt: skip
    closes = frame["closes"]
    late = frame[((frame["opened"] >= closes) & (closes != 0)).fillna(False)]
    yield from per_market(error, "start after end", file, late, "it opens after it closes")
    yield from _groups(file, frame)
    yield from _rows(file, frame)
    # A symbol has no outcome to wait for.
    open_ = frame[frame["resolution"].isna() & frame["token_1"].notna()]
    yield from per_market(Severity.WARNING, "no outcome", file, open_, "nothing says how it ended")


def _groups(file: str, frame: DataFrame) -> Iterator[Finding]:
    grouped = frame[frame["group"].fillna("") != ""]
    kinds = grouped.groupby("group")["group_kind"].nunique()
    mixed = grouped[grouped["group"].isin(kinds[kinds > 1].index)]
    yield from per_market(Severity.ERROR, "mixed group", file, mixed,
                          "markets of its group disagree about the group's kind")  # fmt: skip
    ladder = frame[(frame["group_kind"] == GroupKind.LADDER) & frame["strike"].isna()]
    yield from per_market(Severity.ERROR, "no strike", file, ladder, "a ladder market needs one")
    won = grouped[(grouped["group_kind"] == GroupKind.LADDER) & grouped["winner"].notna()]
    won = won.sort_values(["group", "strike"])
    # Once NO at a strike, NO at every higher one: the best answer so far must not fall back.
    highest = won.groupby("group")["winner"].cummax()
    broken = won[won["winner"] < highest]
    yield from per_market(Severity.ERROR, "outcome breaks ladder", file, broken,
                          "it ended YES while a lower strike ended NO")  # fmt: skip
    exclusive = grouped[(grouped["group_kind"] == GroupKind.EXCLUSIVE) & (grouped["winner"] == 0)]
    twice = exclusive[exclusive["group"].duplicated(keep=False)]
    yield from per_market(Severity.ERROR, "several winners", file, twice,
                          "another market of its exclusive group ended YES as well")  # fmt: skip


def _rows(file: str, frame: DataFrame) -> Iterator[Finding]:
    """Rows that the catalogue could not hand out."""
    plain = frame.astype(object).where(frame.notna(), None)
    for row in plain.to_dict("records"):
        try:
            to_market({str(k): v for k, v in row.items()})
            to_resolution({str(k): v for k, v in row.items()})
        except (DataError, ValueError, TypeError) as error:
            text = error.message if isinstance(error, DataError) else str(error)
            yield Finding(Severity.ERROR, "impossible market", file, text, str(row["market_id"]))
