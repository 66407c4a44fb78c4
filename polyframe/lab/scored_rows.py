"""Forecasts with what happened, read from a file or a catalogue, ready to be scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from polyframe.errors import DataError, UserError
from polyframe.store.mapping import ColumnRule, Mapping, RowFilter, load_form
from polyframe.store.schema import Column, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

SCORES = Table(
    "scores",
    (
        Column("p", "probability", "the forecast of what y tells", True),
        Column("y", "number", "what happened: 1 or 0", True),
        Column("market", "probability", "the market's or the crowd's probability at that moment"),
        Column("event", "text", "rows of one event are one observation"),
        Column("category", "text", "for a table by category"),
        Column("maker", "text", "who said it: its makers are compared with each other"),
        Column("time", "time", "the order in which outcomes became known"),
        Column("cutoff", "time", "end of what the model knew, for contaminated questions"),
    ),
    key=(),
    order=(),
)
NAMES: dict[str, tuple[str, ...]] = {
    "p": ("p", "probability", "prob", "forecast"),
    "y": ("y", "outcome", "resolved_to"),
    "market": ("market", "p_market", "p_crowd"),
    "event": ("event", "group", "question_id", "market_id"),
    "category": ("category",),
    "time": ("time", "resolved_at"),
    "cutoff": ("cutoff",),
    "maker": ("maker", "forecaster"),
}
"""Names that a column is looked for under when nobody says which one it is."""

OUTCOMES = {
    **dict.fromkeys(("1", "1.0", "yes", "Yes", "true", "True"), 1),
    **dict.fromkeys(("0", "0.0", "no", "No", "false", "False"), 0),
}
NO_OUTCOME = "no outcome yet, or none of 0, 1, yes and no"


class ScoreMapping(Mapping):
    """A mapping whose columns are those of SCORES."""

    kind: Literal["scores"]  # type: ignore[assignment] # not one that data import takes

    @property
    def table(self) -> Table:
        """What is scored."""
        return SCORES


@dataclass(frozen=True)
class Scored:
    """Checked rows. ``left_out`` counts rows by the reason why they are not here.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; ``order`` ranks rows by
    time, or by their place in the file; ``contaminated`` are rows whose question had ended before
    the model's knowledge does.
    """

    name: str
    p: Floats
    y: Floats
    market: Floats | None
    event: NDArray[np.str_]
    category: NDArray[np.str_] | None
    order: NDArray[np.int64]
    read: int
    columns: Dictionary[str, str]
    contaminated: NDArray[np.bool_] | None = None
    maker: NDArray[np.str_] | None = None
    left_out: Dictionary[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


def read_rows(
    path: Path,
    *,
    names: Dictionary[str, str] | None = None,
    mapping: Path | None = None,
    where: Sequence[RowFilter] = (),
    clamp: float | None = None,
    skip_bad: bool = False,
) -> Scored:
    """The rows of a Parquet or CSV file; ``names`` says which of its columns is which.

    Rows without an outcome are left out and counted. Any other row that cannot be scored is refused
    unless ``skip_bad``; probabilities of 0 and 1 can be scored once they are clamped.

    Raises:
        UserError: the file is missing, or the mapping is wrong.
        DataError: the file is damaged, a column is missing, or rows cannot be scored.
    """
    from polyframe.store.converting import convert, select  # noqa: PLC0415 - with pandas
    from polyframe.store.importing import check_columns, open_foreign  # noqa: PLC0415
    from polyframe.store.parquet import reading  # noqa: PLC0415 - with pandas

    with reading(path):
        have, load = open_foreign(path)
        rules = _rules(path, have, names or {}, mapping, where)
        check_columns(path, rules, have)
        frame = load(rules.reads)
    rules = _timed(rules, frame)
    chosen = select(frame, rules.filter)
    if not len(chosen):
        raise DataError(
            f"{path}: none of {len(frame):,} rows passes the filters",
            expected="at least one row",
            hint="look at --where, and at the filters of the mapping",
        )
    done = convert(chosen, rules)
    told = {name: ", ".join(rule.reads) for name, rule in rules.columns.items()}
    name = f"{rules.source} ({path.name})" if mapping else path.name
    return _checked(name, done.frame, done.reason, len(frame), told, clamp, skip_bad)


def _rules(
    path: Path,
    have: Sequence[str],
    names: Dictionary[str, str],
    mapping: Path | None,
    where: Sequence[RowFilter],
) -> ScoreMapping:
    if mapping is not None:
        stated = load_form(mapping, ScoreMapping)
        columns, filters = dict(stated.columns), stated.filter
    else:
        stated, columns, filters = None, {}, ()
        for target, known in NAMES.items():
            found = next((name for name in known if name in have), None)
            if found is not None and found not in names.values():
                columns[target] = _rule(target, found)
    columns |= {target: _rule(target, name) for target, name in names.items()}
    lacking = [c.name for c in SCORES.columns if c.required and c.name not in columns]
    if lacking:
        raise DataError(
            f"{path}: no column says what {' and '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'}",
            expected="names for p (the forecast) and y (what happened) among " + ", ".join(have),
            hint=f"polyframe forecast evaluate '{path}' --{lacking[0]} COLUMN",
        )
    return ScoreMapping(
        kind="scores",
        source=stated.source if stated else path.stem,
        columns=columns,
        filter=(*filters, *where),
    )


def _timed(rules: ScoreMapping, frame: DataFrame) -> ScoreMapping:
    """Plain numbers order rows as they are, whatever their unit."""
    import pandas as pd  # noqa: PLC0415 - heavy

    columns = dict(rules.columns)
    for name in ("time", "cutoff"):
        rule = columns.get(name)
        if rule is None or rule.unit is not None or rule.source is None:
            continue
        said = frame[rule.source].dropna()
        if pd.api.types.is_datetime64_any_dtype(said) or not len(said):
            continue
        if pd.to_numeric(said, errors="coerce").notna().all():
            columns[name] = rule.model_copy(update={"unit": "ns"})
    return rules.model_copy(update={"columns": columns})


def _rule(target: str, name: str) -> ColumnRule:
    values: dict[str, Any] = dict(OUTCOMES) if target == "y" else {}
    return ColumnRule.model_validate({"from": name, "values": values})


def _checked(
    name: str,
    frame: DataFrame,
    reason: Any,
    read: int,
    columns: Dictionary[str, str],
    clamp: float | None,
    skip_bad: bool,
) -> Scored:
    """Rows that can be scored, and what became of the others."""
    y = frame["y"].to_numpy(np.float64, na_value=np.nan)
    notes: list[str] = []
    values = {
        column: frame[column].to_numpy(np.float64, na_value=np.nan)
        for column in ("p", "market")
        if column in columns
    }
    why = np.full(len(frame), "", dtype=object)
    if clamp is not None:
        values = {c: _clamped(c, said, clamp, notes) for c, said in values.items()}
    for column, said in values.items():
        _fault(why, np.isnan(said), f"missing {column}")
        _fault(why, (said < 0.0) | (said > 1.0), f"{column} outside 0 to 1")
        _fault(why, (said == 0.0) | (said == 1.0), f"{column} of 0 or 1")
        why[
            (why == f"missing {column}") & (reason == f"unreadable {column}").to_numpy(np.bool_)
        ] = f"unreadable {column}"
    why[~np.isin(y, (0.0, 1.0))] = NO_OUTCOME
    left_out = Counter(str(w) for w in why if w)
    refused = {text: n for text, n in left_out.items() if text != NO_OUTCOME}
    if refused and not skip_bad:
        raise _refusal(name, refused, values, why, frame.index)
    keep = (why == "").astype(np.bool_)
    if not keep.any():
        raise DataError(
            f"{name}: none of {len(frame):,} rows can be scored: "
            + "; ".join(f"{n:,} x {text}" for text, n in left_out.most_common(3)),
            expected="rows with a forecast and an outcome",
            hint="name other columns: --p COLUMN --y COLUMN",
        )
    event = _events(frame, keep, "event" in columns, columns, notes)
    time = frame["time"].to_numpy(np.float64, na_value=np.nan)[keep]
    if "time" in columns and np.isnan(time).any():
        notes.append("rows without a time stand last")
    if "time" not in columns:
        notes.append("no column tells the time: rows count in the file's order (--time COLUMN)")
    rank = np.argsort(np.argsort(time, kind="stable"), kind="stable").astype(np.int64)
    kinds = frame["category"].fillna("(none)").to_numpy(np.str_)[keep]
    return Scored(
        name=name,
        p=values["p"][keep],
        y=y[keep],
        market=values["market"][keep] if "market" in values else None,
        event=event,
        category=kinds if "category" in columns else None,
        order=rank,
        read=read,
        columns=columns,
        contaminated=_contaminated(frame, keep, columns, notes),
        maker=frame["maker"].fillna("(unnamed)").to_numpy(np.str_)[keep]
        if "maker" in columns
        else None,
        left_out=dict(left_out),
        notes=notes,
    )


def _contaminated(
    frame: DataFrame, keep: NDArray[np.bool_], columns: Dictionary[str, str], notes: list[str]
) -> NDArray[np.bool_] | None:
    """Which questions ended before the model's knowledge does; None where no column tells."""
    if "cutoff" not in columns:
        return None
    cutoff, ended = (
        frame[name].to_numpy(np.float64, na_value=np.nan)[keep] for name in ("cutoff", "time")
    )
    unknown = int((np.isnan(ended) & ~np.isnan(cutoff)).sum())
    if unknown:
        notes.append(
            f"{unknown:,} rows have a cut-off and no time of their end (--time COLUMN): whether "
            "the model knew the end cannot be told"
        )
    found: NDArray[np.bool_] = ended <= cutoff
    return found


def _events(
    frame: DataFrame,
    keep: NDArray[np.bool_],
    named: bool,
    columns: Dictionary[str, str],
    notes: list[str],
) -> NDArray[np.str_]:
    if named:
        event = frame["event"][keep]
        if event.isna().any():
            notes.append(f"{int(event.isna().sum()):,} rows without an event count by themselves")
        own = np.array([f"(row {i})" for i in frame.index[keep]], dtype=np.str_)
        return np.where(event.isna(), own, event.fillna("").to_numpy(np.str_)).astype(np.str_)
    notes.append("no column names the event: every row is one observation (--event COLUMN)")
    twice = int(frame[keep][list(columns)].duplicated().sum())
    if twice:
        notes.append(f"{twice:,} rows repeat another one in every column that was read")
    return np.array([str(i) for i in frame.index[keep]], dtype=np.str_)


def _clamped(column: str, said: Floats, clamp: float, notes: list[str]) -> Floats:
    moved = (said >= 0.0) & (said <= 1.0) & ((said < clamp) | (said > 1.0 - clamp))
    if moved.any():
        notes.append(f"{int(moved.sum()):,} values of {column} clamped to {clamp:g}")
    found: Floats = np.where(moved, np.clip(said, clamp, 1.0 - clamp), said)
    return found


def _fault(why: NDArray[np.object_], rows: NDArray[np.bool_], text: str) -> None:
    """Gives rows a reason; one keeps the first it was given."""
    why[rows & (why == "")] = text


def _refusal(
    name: str,
    refused: Dictionary[str, int],
    values: Dictionary[str, Floats],
    why: NDArray[np.object_],
    index: Any,
) -> DataError:
    text, count = next(iter(refused.items()))
    column = "market" if "market" in text else "p"
    rows = np.flatnonzero(why == text)
    said = values[column][rows]
    hint = "leave such rows out and count them: --skip-bad"
    if " of " in text:
        hint = "score them a little way from certainty: --clamp 0.001"
    elif "outside" in text and np.all((said >= 0.0) & (said <= 100.0)):
        hint = f'percent? say so in a mapping: "{column}": {{"from": ..., "unit": "percent"}}'
    return DataError(
        f"{name}: {count:,} rows with {text}, e.g. {said[0]:g} in row {int(index[rows[0]]) + 1}",
        expected="probabilities strictly between 0 and 1 in every row with an outcome",
        hint=hint,
    )


def where_of(texts: Sequence[str]) -> tuple[RowFilter, ...]:
    """Filters from ``COLUMN=VALUE``.

    Raises:
        UserError: one has another form.
    """
    filters = []
    for text in texts:
        column, equals, value = text.partition("=")
        if not column or not equals:
            raise UserError(f"--where {text!r}", expected="COLUMN=VALUE")
        filters.append(RowFilter.model_validate({"column": column, "is": value}))
    return tuple(filters)
