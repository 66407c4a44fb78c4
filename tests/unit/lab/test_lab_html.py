"""The page: nothing from elsewhere, no text taken for markup, everything in it."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import msgspec
import pytest
from lab_records import bare_record, sample_record

from polyframe.errors import UserError
from polyframe.lab.charts import ticks, wilson
from polyframe.lab.html import page, save_html
from polyframe.lab.record import RunRecord
from polyframe.lab.summary import build

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)> & \"quoted\" <b>bold</b>"


class Page(HTMLParser):
    """Collects tags with their attributes and the text of script elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag in ("script", "style")
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag) -> None:
        if tag in ("script", "style"):
            self._inside = False

    def handle_data(self, data) -> None:
        if self._inside and self.tags[-1][0] == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.words.append(data)


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return sample_record(1_791_000_000 * 10**9)


@pytest.fixture(scope="module")
def evil(record) -> Page:
    """Every text that others write holds markup and a script."""
    markets = [msgspec.structs.replace(m, question=EVIL, category=EVIL) for m in record.markets]
    fills = [
        row._replace(
            decision=msgspec.structs.replace(
                row.decision,
                intent=msgspec.structs.replace(row.decision.intent, reason=EVIL),
                verdicts=tuple(
                    msgspec.structs.replace(v, protection=EVIL, reason=EVIL)
                    for v in row.decision.verdicts
                ),
            )
        )
        for row in record.fills
    ]
    changed = replace(
        record,
        markets=markets,
        fills=fills,
        reviews=[row.decision for row in fills],
        judgements=[j._replace(source=EVIL, confidence=EVIL) for j in record.judgements],
        refusals={EVIL: 3},
        denials={EVIL: 2},
        notes=[EVIL],
    )
    return Page(page(build(changed, run="r", created=NOW)))


def test_markup_in_any_text_stays_text(evil) -> None:
    tags = [tag for tag, _ in evil.tags]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert "b" not in tags
    assert all(not name.startswith("on") for _, given in evil.tags for name in given)
    assert "alert('x')" in "".join(evil.words)


def test_the_data_holds_the_texts_as_they_are(evil) -> None:
    data = json.loads(evil.scripts[0])
    assert data["markets"][0][1] == EVIL
    assert EVIL in data["reasons"]
    assert data["panels"][0][0][0] == EVIL
    assert "<" not in evil.scripts[0]


def test_the_script_sets_text_only(evil) -> None:
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in evil.scripts[1]


def test_nothing_is_loaded_from_elsewhere(record) -> None:
    text = page(build(record, run="r", created=NOW))
    found = Page(text)
    policy = [a["content"] for _, a in found.tags if a.get("http-equiv")]
    assert policy[0].startswith("default-src 'none'")
    for tag, given in found.tags:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base")
        assert "src" not in given
        assert given.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?://", text)


def test_every_trade_has_its_decision_and_its_verdicts(record) -> None:
    report = build(record, run="r", created=NOW)
    data = json.loads(Page(page(report)).scripts[0])
    assert len(data["trades"]) == len(report.trades)
    for row, trade in zip(data["trades"], report.trades, strict=True):
        assert row[0] == trade.n
        assert data["markets"][row[2]] == [trade.market, trade.question]
        if trade.side == "settle":
            assert row[11] == -1
        else:
            decision = data["decisions"][row[11]]
            assert decision[0] == trade.order
            assert data["panels"][decision[8]]
            assert decision[10] is not None


def test_charts_and_tables_are_there_and_named(record) -> None:
    found = Page(page(build(record, run="r", created=NOW)))
    pictures = [a for tag, a in found.tags if tag == "svg"]
    assert len(pictures) == 4
    assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
    assert any(a.get("class") == "band" for tag, a in found.tags if tag == "polygon")
    words = " ".join(found.words)
    for part in ("Beside the result", "Simulated", "Worst cases", "Left open", "Denied or shrunk"):
        assert part in words, part
    assert all(a.get("scope") for tag, a in found.tags if tag == "th")
    assert dict(found.tags)["html"]["lang"] == "en"


def test_a_run_without_trades_is_a_page_too() -> None:
    found = Page(page(build(bare_record(), run="r", created=NOW)))
    assert "Nothing was traded" in "".join(found.words)
    assert json.loads(found.scripts[0])["trades"] == []


def test_the_file_appears_whole_or_not_at_all(record, tmp_path) -> None:
    report = build(record, run="r", created=NOW)
    save_html(report, tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(UserError, match="page"):
        save_html(report, tmp_path / "absent" / "report.html")


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 10.0) == [0, 2, 4, 6, 8, 10]
    assert ticks(5.0, 5.0) == [5.0]
    assert all(-3.2 <= t <= 7.1 for t in ticks(-3.2, 7.1))


def test_intervals_of_shares_are_wilsons() -> None:
    """Source: 10 of 20 gives 0.299 to 0.701."""
    assert wilson(0.5, 20) == pytest.approx((0.299, 0.701), abs=0.001)
    low, high = wilson(0.0, 10)
    assert low == pytest.approx(0.0, abs=1e-12)
    assert high == pytest.approx(0.278, abs=0.001)
