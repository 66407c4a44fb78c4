"""Synthetic order flow as a catalogue: what is read back is what was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polyframe.errors import UserError
from polyframe.lab.flow import TouchSpec, generate, main, read_note
from polyframe.lab.flow_catalogue import write_catalogue
from polyframe.lab.flow_spec import FlowSpec
from polyframe.lab.synth import is_synthetic
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import check_catalogue

SPECS = (FlowSpec(seconds=20.0, makers=10), TouchSpec(seconds=20.0))


def test_what_is_read_back_is_what_was_made(tmp_path: Path) -> None:
    flow = generate(SPECS, 5)
    write_catalogue(flow, tmp_path / "cat")
    catalogue = Catalogue.open(tmp_path / "cat")
    catalogue.verify()
    assert is_synthetic(catalogue)
    assert not [row for row in check_catalogue(catalogue).findings if row.severity == "error"]
    made = {market.id: market for market in flow.note.markets}
    for market in catalogue.markets():
        was = made[market.id]
        for name in ("tokens", "tick", "lot", "min_size", "opened", "closes", "price_decimals",
                     "size_decimals", "venue", "question"):  # fmt: skip
            assert getattr(market, name) == getattr(was, name), name
    assert catalogue.resolutions() == {row.market: row for row in flow.note.resolutions}
    tape = catalogue.tape("synthetic")
    for name in flow.columns:
        np.testing.assert_array_equal(tape.column(name), flow.columns[name])
    assert read_note(tmp_path / "cat") == flow.note


def test_other_data_is_not_mixed_in(tmp_path: Path, capsys) -> None:
    (tmp_path / "spec.json").write_text('{"kind": "agents", "seconds": 5}')
    words = ["--catalogue", str(tmp_path / "cat"), "--spec", str(tmp_path / "spec.json")]
    assert main(words) == 0
    assert "all synthetic" in capsys.readouterr().out
    assert main(words) == 2
    assert "holds a catalogue already" in capsys.readouterr().err
    with pytest.raises(UserError, match="holds a catalogue already"):
        write_catalogue(generate(SPECS[0], 1), tmp_path / "cat")
