"""Which aggregation and calibration deserve to be the defaults: a nested cross-validation.

    python -m benchmarks.forecast_study DIRECTORY [--json]

DIRECTORY holds ``metaculus_llm_forecasts.parquet`` and ``forecastbench.parquet``. Questions stand
in ten blocks by closing date, so that questions of one week are not on both sides. For each block
the choice is made on the other nine alone, by five blocks inside them; the block is scored once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pandas as pd

from polyframe.errors import DataError
from polyframe.quant.calibration import beta_fit, platt_by_group, platt_fit
from polyframe.quant.pool_weights import adaptive_weights
from polyframe.quant.pooling import (
    clamp,
    log_odds_pool,
    mean_probability,
    median_probability,
    trimmed_logit_mean,
)
from polyframe.quant.scoring import log_losses
from polyframe.quant.significance import paired_difference

OUTER, INNER, SEED = 10, 5, 0
EDGE = 0.001


class Question(NamedTuple):
    """What each model said about one question, every run of it, and what happened."""

    id: str
    runs: dict[str, list[float]]
    y: float
    group: str = ""

    def votes(self) -> dict[str, float]:
        return {model: median_probability(said) for model, said in self.runs.items()}


Questions = Sequence[Question]
Model = Callable[[Questions], np.ndarray]
"""Probabilities of questions, from a rule that was learnt elsewhere."""
Learner = Callable[[Questions], Model]


def aggregated(rule: Callable[[Question], float]) -> Learner:
    return lambda _: lambda questions: np.array([rule(q) for q in questions])


def records(training: Questions) -> dict[str, tuple[float, int]]:
    errors: dict[str, list[float]] = {}
    for question in training:
        for model, vote in question.votes().items():
            errors.setdefault(model, []).append((vote - question.y) ** 2)
    return {model: (fmean(found), len(found)) for model, found in errors.items()}


def weighted(training: Questions) -> Model:
    known = records(training)

    def one(question: Question) -> float:
        votes = question.votes()
        record = [known.get(model, (0.25, 0)) for model in votes]
        weights = adaptive_weights([e for e, _ in record], [n for _, n in record], minimum=30)
        return log_odds_pool(list(votes.values()), weights)

    return lambda questions: np.array([one(q) for q in questions])


def best_single(training: Questions) -> Model:
    """The best model on the training questions; where it is silent, the next best one."""
    known = records(training)
    order = sorted(known, key=lambda m: (known[m][1] < 30, known[m][0]))

    def one(question: Question) -> float:
        votes = question.votes()
        return next((votes[m] for m in order if m in votes), next(iter(votes.values())))

    return lambda questions: np.array([one(q) for q in questions])


def base_rate(training: Questions) -> Model:
    rate = clamp(fmean(q.y for q in training))
    return lambda questions: np.full(len(questions), rate)


AGGREGATIONS: dict[str, Learner] = {
    "plain mean of all runs": aggregated(
        lambda q: mean_probability([p for said in q.runs.values() for p in said])
    ),
    "mean of medians": aggregated(lambda q: mean_probability(list(q.votes().values()))),
    "median of medians": aggregated(lambda q: median_probability(list(q.votes().values()))),
    "trimmed logit mean": aggregated(lambda q: trimmed_logit_mean(list(q.runs.values()))),
    "weighted log-odds": weighted,
}


def calibrated(learner: Learner, method: str) -> Learner:
    """The learner with a curve learnt on what it said about its own training questions."""

    def learn(training: Questions) -> Model:
        inner = learner(training)
        if method == "raw":
            return inner
        p, y = inner(training), np.array([q.y for q in training])
        if method == "by group":
            lines = platt_by_group(p, y, [q.group for q in training])
            return lambda questions: lines.apply(inner(questions), [q.group for q in questions])
        try:
            curve = beta_fit(p, y) if method == "beta" else platt_fit(p, y, penalty=float(method))
        except DataError:  # too few questions for this curve
            curve = platt_fit(p, y)
        return lambda questions: curve.apply(inner(questions))

    return learn


def blocks(questions: Questions, count: int) -> list[tuple[list[Question], list[Question]]]:
    """Training and test questions for each of ``count`` blocks in the order of the questions."""
    cuts = np.array_split(np.arange(len(questions)), count)
    return [
        (
            [q for i, q in enumerate(questions) if i not in set(cut)],
            [questions[i] for i in cut],
        )
        for cut in cuts
    ]


def outside(questions: Questions, learner: Learner, count: int) -> np.ndarray:
    """What was said about each question by a rule that was learnt without its block."""
    said = [learner(training)(test) for training, test in blocks(questions, count)]
    return np.clip(np.concatenate(said), EDGE, 1.0 - EDGE)


def chosen(candidates: dict[str, Learner], picks: list[str]) -> Learner:
    """The candidate with the best Brier score on blocks inside the training questions."""

    def learn(training: Questions) -> Model:
        y = np.array([q.y for q in training])
        scores = {
            name: float(np.mean((outside(training, learner, INNER) - y) ** 2))
            for name, learner in candidates.items()
        }
        best = min(scores, key=lambda name: scores[name])
        picks.append(best)
        return candidates[best](training)

    return learn


def outside_all(questions: Questions, rows: dict[str, Learner]) -> dict[str, np.ndarray]:
    return {name: outside(questions, learner, OUTER) for name, learner in rows.items()}


def compared(
    questions: Questions, said: dict[str, np.ndarray], pairs: Sequence[tuple[str, str]]
) -> list[dict[str, object]]:
    """Scores of the first rule of each pair outside its training, and its gain on the second."""
    y = np.array([q.y for q in questions])
    losses = {name: (p - y) ** 2 for name, p in said.items()}
    found: list[dict[str, object]] = []
    for name, reference in pairs:
        gain = paired_difference(
            losses[name], losses[reference], [q.id for q in questions], seed=SEED
        )
        found.append({"rule": name, "events": len(questions), "brier": float(losses[name].mean()),
                      "log": float(log_losses(said[name], y).mean()), "over": reference,
                      "gain": gain.mean, "low": gain.low, "high": gain.high})  # fmt: skip
    return found


def panel(folder: Path) -> list[Question]:
    """Questions with two models or more; one key of the file stands for two models."""
    frame = pd.read_parquet(folder / "metaculus_llm_forecasts.parquet")
    two = frame["file"].str.extract(r"claude_(haiku|sonnet)")[0].fillna("")
    frame["model"] = frame["model_key"].str.removesuffix("|parsed") + " " + two
    frame = frame.sort_values(["close_time", "question_id", "file", "run"], kind="stable")
    frame["prob"] = frame["prob"].clip(EDGE, 1.0 - EDGE)
    found = []
    for id, rows in frame.groupby("question_id", sort=False):
        runs = {str(m): r["prob"].tolist() for m, r in rows.groupby("model")}
        if len(runs) >= 2:
            found.append(Question(str(id), runs, float(rows["y"].iloc[0])))
    return found


def crowd(folder: Path) -> list[Question]:
    """The crowd on each question; its rounds are the runs of one model."""
    frame = pd.read_parquet(folder / "forecastbench.parquet")
    frame = frame.sort_values(["last_resolution_date", "id", "freeze_datetime"], kind="stable")
    frame["p_crowd"] = frame["p_crowd"].clip(EDGE, 1.0 - EDGE)
    return [
        Question(str(id), {"crowd": rows["p_crowd"].tolist()}, float(rows["resolved_to"].iloc[0]),
                 str(rows["source"].iloc[0]))
        for id, rows in frame.groupby("id", sort=False)
    ]  # fmt: skip


def run(folder: Path) -> dict[str, list[dict[str, object]]]:
    picks: list[str] = []
    methods = {"raw": "raw", "platt 1": "1", "platt 10": "10", "platt 100": "100", "beta": "beta"}
    candidates = {
        f"{a}, {c}": calibrated(learner, method)
        for a, learner in AGGREGATIONS.items()
        for c, method in methods.items()
    }
    rows: dict[str, Learner] = {
        "one half": aggregated(lambda _: 0.5),
        "base rate": base_rate,
        "best single model, raw": best_single,
        "best single model, platt 10": calibrated(best_single, "10"),
        **candidates,
        "nested choice": chosen(candidates, picks),
    }
    questions = panel(folder)
    said = outside_all(questions, rows)
    default, raw = "trimmed logit mean, platt 10", "trimmed logit mean, raw"
    duels = [
        (default, raw),
        (default, "plain mean of all runs, raw"),
        (default, "plain mean of all runs, platt 10"),
        (default, "weighted log-odds, platt 10"),
        (default, "best single model, raw"),
        (default, "best single model, platt 10"),
        (default, "nested choice"),
        (raw, "plain mean of all runs, raw"),
    ]
    single = AGGREGATIONS["median of medians"]
    many = crowd(folder)
    crowds = {
        "one half": aggregated(lambda _: 0.5),
        "base rate": base_rate,
        "crowd, raw": single,
        "crowd, platt 10": calibrated(single, "10"),
        "crowd, beta": calibrated(single, "beta"),
        "crowd, platt by source": calibrated(single, "by group"),
    }
    return {
        "language models": compared(questions, said, [(name, "base rate") for name in rows]),
        "head to head": compared(questions, said, duels),
        "crowd": compared(
            many, outside_all(many, crowds), [(name, "crowd, raw") for name in crowds]
        ),
        "picked by the nested choice": [
            {"rule": name, "blocks": picks.count(name)} for name in sorted(set(picks))
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = run(given.directory)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for title, rows in found.items():
        events = f" ({rows[0]['events']} questions)" if "events" in rows[0] else ""
        print(f"\n{title}{events}")
        for row in rows:
            if "blocks" in row:
                print(f"  {row['rule']}: {row['blocks']} of {OUTER} blocks")
                continue
            gain = f"{row['gain']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}] over {row['over']}"
            print(f"  {row['rule']:32} {row['brier']:.4f}  log {row['log']:.4f}  {gain}")


if __name__ == "__main__":
    main()
