"""``polyframe decisions`` on the journal of a real backtest, whole and damaged."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from polyframe.cli.main import main
from polyframe.store.journal_reader import JournalReader

STAGES = ["SCAN", "RESEARCH", "FORECAST", "EDGE", "RISK", "SIZE", "EXECUTE", "MONITOR"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A user directory with one run."""
    folder = tmp_path_factory.mktemp("user_data")
    assert main(["backtest", "-s", "LLMForecast", "--user-data", str(folder), "--json"]) == 0
    return folder


@pytest.fixture
def user_data(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(made, tmp_path / "user_data")


@pytest.fixture
def journal(user_data) -> Path:
    (path,) = user_data.glob("runs/*/journal.bin")
    return path


def asked(capsys, user_data: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["decisions", *arguments, "--user-data", str(user_data)])
    out, err = capsys.readouterr()
    return code, out, err


def rows(capsys, user_data: Path, *arguments: str) -> list[dict[str, object]]:
    code, out, _ = asked(capsys, user_data, *arguments, "--json", "--limit", "0")
    assert code == 0
    found = json.loads(out)
    assert found["total"] == found["shown"] == len(found["rows"])
    return found["rows"]


def test_every_row_names_a_block_whose_hash_is_in_the_chain(capsys, user_data, journal) -> None:
    blocks = {b.head.number: b for b in JournalReader(journal).blocks()}
    found = rows(capsys, user_data)
    assert {row["stage"] for row in found} == set(STAGES)
    for row in found:
        proof = row["proof"]
        block = blocks[proof["block"]]
        assert proof["hash"] == block.end.digest.hex()
        assert proof["byte"] == block.start.offset
        assert block.start.seq < proof["step"] <= block.end.seq


def test_the_log_agrees_with_the_report(capsys, user_data) -> None:
    (path,) = user_data.glob("runs/*/report.json")
    report = json.loads(path.read_text())
    found = rows(capsys, user_data)
    fills = [r for r in found if r["stage"] == "EXECUTE" and "realised" in r["facts"]]
    trades = [t for t in report["trades"] if t["side"] != "settle"]
    assert [(r["order"], r["facts"]["price"], float(r["facts"]["size"])) for r in fills] == [
        (t["order"], t["price"], float(t["shares"])) for t in trades
    ]
    denied = [r for r in found if r["stage"] == "RISK" and r["text"].startswith("denied")]
    assert len(denied) == report["summary"]["denied"]


def test_the_story_of_an_order_agrees_with_its_round_trip(capsys, user_data) -> None:
    (path,) = user_data.glob("runs/*/report.json")
    report = json.loads(path.read_text())
    lost = next(t for t in report["trades"] if t["side"] == "buy")
    code, out, _ = asked(capsys, user_data, "--why", "-" + lost["order"].rpartition("-")[2])
    assert code == 0
    trip = next(t for t in report["round_trips"] if t["n"] == lost["trip"])
    (net,) = re.findall(r"fees [\d.]+: ([+-][\d.]+)\.", out)
    assert float(net) == pytest.approx(float(trip["pnl"]), abs=1e-6)
    for heading in ("Believed", "Wanted", "Ruled", "Sized", "Carried out", "What became of it"):
        assert f"\n{heading}" in out
    assert "h old when decided" in " ".join(out.split())
    assert "MaxStake" in out


def test_a_denied_intent_has_a_story_too(capsys, user_data) -> None:
    denied = next(r for r in rows(capsys, user_data, "--stage", "risk") if not r["order"])
    code, out, _ = asked(capsys, user_data, "--why", f"@{denied['proof']['step']}")
    assert code == 0
    assert "What was denied" in out
    assert "deny" in out
    assert "Carried out" not in out


def test_selections_narrow_and_combine(capsys, user_data) -> None:
    every = rows(capsys, user_data)
    market = next(r["market"] for r in every if r["stage"] == "EDGE")
    some = rows(capsys, user_data, "--market", market, "--stage", "edge", "-s", "LLMForecast")
    assert some == [r for r in every if r["market"] == market and r["stage"] == "EDGE"]
    day = rows(capsys, user_data, "--since", "2026-09-08", "--until", "2026-09-08")
    assert day == rows(capsys, user_data, "--timerange", "2026-09-08..2026-09-08") != []
    hour = rows(capsys, user_data, "--since", "2026-09-08T07:00", "--until", "2026-09-08T07:00:01")
    assert 0 < len(hour) < len(day)
    code, out, _ = asked(capsys, user_data, "--limit", "3", "--json")
    assert code == 0
    assert json.loads(out)["rows"] == every[-3:]


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(capsys, monkeypatch, user_data, width) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in (["--limit", "200"], ["--why", "-1"]):
        code, out, _ = asked(capsys, user_data, *arguments)
        assert code == 0
        assert max(map(len, out.splitlines())) <= width


# ---- proof -------------------------------------------------------------------------------------


def test_a_whole_journal_is_proven_with_its_head(capsys, user_data, journal) -> None:
    whole = JournalReader(journal).verify()
    code, out, _ = asked(capsys, user_data, "--verify", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["whole"], found["head"], found["ends"]) == (True, whole.digest, "closed")
    assert (found["blocks"], found["records"]) == (whole.blocks, whole.records)
    code, out, _ = asked(capsys, user_data, "--verify", "--head", whole.digest)
    assert code == 0
    assert whole.digest in out


def damaged(capsys, user_data: Path) -> str:
    for arguments in (["--verify"], ["--limit", "0"], ["--limit", "0", "--json"]):
        code, out, err = asked(capsys, user_data, *arguments)
        assert code == 3, arguments
    assert json.loads(out)["error"]["exit_code"] == 3  # nothing but the error was written
    code, _, err = asked(capsys, user_data, "--verify")
    assert "Expected: " in err
    assert "head -c " in err
    return err


def test_an_edited_byte_is_found_wherever_it_is(capsys, user_data, journal) -> None:
    whole = journal.read_bytes()
    for block in JournalReader(journal).blocks():
        middle = block.start.offset + (block.end.offset - block.start.offset) // 2
        for place in (block.start.offset, middle, block.end.offset - 1):
            edited = bytearray(whole)
            edited[place] ^= 0x01
            journal.write_bytes(edited)
            code, _, err = asked(capsys, user_data, "--verify")
            assert code == 3
            assert f"block {block.head.number} at byte {block.start.offset}" in err
            assert f"after step {block.start.seq}" in err
    journal.write_bytes(whole)
    assert asked(capsys, user_data, "--verify")[0] == 0


def test_an_edited_record_is_named_with_both_hashes(capsys, user_data, journal) -> None:
    block = list(JournalReader(journal).blocks())[1]
    edited = bytearray(journal.read_bytes())
    edited[block.start.offset + 100] ^= 0xFF
    journal.write_bytes(edited)
    err = damaged(capsys, user_data)
    assert f"hash that it was written with ({block.end.digest.hex()[:16]}, its bytes give" in err


def test_a_removed_block_is_found(capsys, user_data, journal) -> None:
    _, gone, *_ = JournalReader(journal).blocks()
    whole = journal.read_bytes()
    journal.write_bytes(whole[: gone.start.offset] + whole[gone.end.offset :])
    err = damaged(capsys, user_data)
    assert "block 1 at byte" in err
    assert "it calls itself block 2" in err


def test_exchanged_blocks_are_found(capsys, user_data, journal) -> None:
    first, second, *_ = JournalReader(journal).blocks()
    whole = journal.read_bytes()
    a = whole[first.start.offset : first.end.offset]
    b = whole[second.start.offset : second.end.offset]
    journal.write_bytes(whole[: first.start.offset] + b + a + whole[second.end.offset :])
    assert "it calls itself block 1" in damaged(capsys, user_data)


@pytest.mark.parametrize("inside", [False, True])
def test_a_cut_end_is_found(capsys, user_data, journal, inside) -> None:
    last = list(JournalReader(journal).blocks())[-1]
    cut = last.start.offset + (20 if inside else 0)
    journal.write_bytes(journal.read_bytes()[:cut])
    code, _, err = asked(capsys, user_data, "--verify")
    assert code == 3
    assert ("is incomplete" if inside else "without its end mark") in err
    assert f"block {last.head.number}" in err
    assert f"after step {last.start.seq}" in err


def test_a_journal_written_anew_is_found_by_a_noted_head(capsys, user_data) -> None:
    code, _, err = asked(capsys, user_data, "--verify", "--head", "0" * 64)
    assert code == 3
    assert "another journal" in err
    code, _, err = asked(capsys, user_data, "--verify", "--head", "12")
    assert code == 2
    assert "64 hexadecimal digits" in err


# ---- what a person gets wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["--market", "synthetic-politics-08"], "says nothing of market", "--market synthetic-pol"),
        (["--strategy", "LLMForcast"], "says nothing of strategy", "--strategy LLMForecast"),
        (["--stage", "RSK"], "is no stage", "--stage RISK"),
        (["--why", "9999"], "no order has or ends with the id", "--why -1"),
        (["--why", "@2"], "step 2 reviewed no intent", "--why @"),
        (["--since", "yesterday"], "no day and no moment", "--since 2026-"),
        (["--since", "2026-09-09", "--until", "2026-09-01"], "is not before", "--since 2026-09-01"),
        (["--timerange", "x"], "cannot be read", "--timerange 2026-"),
        (["--timerange", "20260901-", "--since", "2026-09-01"], "same twice", "--timerange"),
        (["--verify", "--market", "m"], "takes no selection", "--verify"),
        (["--why", "-1", "--stage", "RISK"], "no further selection", "--why -1"),
        (["--head", "ab"], "belongs to --verify", "--verify"),
        (["no-such-run"], "no run is called", "polyframe decisions 20"),
    ],
)
def test_a_wrong_question_ends_in_the_next_command(
    capsys, user_data, arguments, said, hint
) -> None:
    code, out, err = asked(capsys, user_data, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert hint in err.partition("Next: ")[2]


def test_a_run_recorded_with_none_says_so(capsys, tmp_path) -> None:
    arguments = ["-s", "LLMForecast", "--timerange", "2026-09-10..2026-09-12", "--record", "none"]
    assert main(["backtest", *arguments, "--user-data", str(tmp_path), "--json"]) == 0
    capsys.readouterr()
    code, _, err = asked(capsys, tmp_path)
    assert code == 2
    assert "recorded with 'none'" in err
    assert "--record orders" in err


def test_a_journal_that_is_gone_is_a_finding(capsys, user_data, journal) -> None:
    journal.unlink()
    code, _, err = asked(capsys, user_data, "--verify")
    assert code == 3
    assert "is gone" in err


def test_a_journal_can_be_named_by_its_file(capsys, user_data, journal) -> None:
    code, out, _ = asked(capsys, user_data, str(journal), "--limit", "1", "--json")
    assert code == 0
    assert json.loads(out)["shown"] == 1


def test_text_from_outside_cannot_steer_the_terminal(capsys, tmp_path) -> None:
    from polyframe.domain.events import MarketClosed
    from polyframe.store.journal import JournalWriter
    from polyframe.store.records import Header, RecordLevel

    head = Header(
        polyframe="0", api=1, code="", plugins="", session="S", seed=0, config="", universe="",
        level=RecordLevel.ORDERS, created=0,
    )  # fmt: skip
    with JournalWriter.create(tmp_path / "j", head) as writer:
        writer.step(MarketClosed(1, "\x1b[2J[red]<script>alert(1)</script>\nx"), [])
    code, out, _ = asked(capsys, tmp_path, str(tmp_path / "j"))
    assert code == 0
    assert "\x1b" not in out
    assert "[red]<script>alert(1)</script>" in out.replace("\n", "").replace(" ", "")
