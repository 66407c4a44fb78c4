"""Runs one benchmark: ``python -m benchmarks NAME [--quick] [--json]``."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from benchmarks.figures import print_json, print_table

# A benchmark is a module of this folder with `measure(quick: bool) -> Iterable[Figure]`.
NAMES = {
    "bars": "an EMA cross over 500 markets beside freqtrade, backtesting.py and vectorbt",
    "flow": "rows a second of synthetic order flow, compiled and as a whole",
    "l2": "market making on 5 M book events beside hftbacktest and nautilus, fill by fill",
    "peers": "the bare compiled loop that bounds every engine, from the peers' harness",
    "report": "the report of 45,000 trades: built, stored, shown, as a page",
    "sandbox": "signed orders a second of the sandbox, called and over HTTP; a flood to 5 sockets",
    "size": "megabytes of the core in an empty environment, and its largest parts",
    "steps": "a step of the engine by part, the guards, the journal, the default backtest",
    "startup": "seconds until polyframe --help, import polyframe and a first public name",
    "venue": "orders a second of the sandbox's book and venue, without a network",
}


def main(arguments: list[str]) -> int:
    """Measures and prints; the exit code is 2 for a name that is none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", help="; ".join(f"{n}: {w}" for n, w in NAMES.items()))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller inputs")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--list", action="store_true", help="print the names")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(NAMES))
        return 0
    if options.name not in NAMES:
        parser.error(f"no benchmark {options.name!r}; there are {', '.join(NAMES)}")
    figures = import_module(f"benchmarks.{options.name}").measure(options.quick)
    (print_json if options.json else print_table)(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
