"""Outages of the simulated venue: what is sent in one arrives when it ends."""

from __future__ import annotations

import numpy as np
import pytest
from book_tapes import MARKETS
from pydantic import ValidationError

from polyframe.domain.units import MILLISECOND, SECOND
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.tape_venue import TapeVenue
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import venue_nb

START = 1_788_220_800 * SECOND
SPANS = ((START, START + 60 * SECOND), (START + 100 * SECOND, START + 700 * SECOND))


def took(venue: TapeVenue, leg: int, now: int) -> int:
    return int(venue_nb.latency(venue.probes, venue.conf, leg, now))


@pytest.mark.parametrize(("leg", "ms"), [(c.ENTRY, 250), (c.CANCELLING, 300), (c.RESPONSE, 100)])
def test_a_message_waits_for_the_end(leg: int, ms: int) -> None:
    venue = TapeVenue(MARKETS, {}, SimSettings(outages=SPANS), {}, {})
    usual = ms * MILLISECOND
    for start, end in SPANS:
        assert took(venue, leg, start - 1) == usual
        assert took(venue, leg, end) == usual
        for now in np.linspace(start, end - 1, 50).astype(np.int64).tolist():
            assert abs(now + took(venue, leg, now) - (end + usual)) <= 1
    assert took(venue, leg, SPANS[-1][1] + SECOND) == usual
    assert took(venue, leg, (SPANS[0][1] + SPANS[1][0]) // 2) == usual
    without = TapeVenue(MARKETS, {}, SimSettings(), {}, {})
    assert took(without, leg, START + SECOND) == usual


@pytest.mark.parametrize("spans", [((5, 5),), ((9, 5),), ((1, 5), (4, 9)), ((0, 5),), ((-1, 5),)])
def test_outages_follow_one_another(spans) -> None:
    with pytest.raises(ValidationError, match="one after the other"):
        SimSettings(outages=spans)
