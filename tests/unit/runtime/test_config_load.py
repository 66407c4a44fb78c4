"""The configuration: defaults, merging, sources and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe import PluginConfig, Strategy
from polyframe.domain.units import DAY, MONEY_ONE, format_units
from polyframe.errors import ConfigError
from polyframe.runtime.config import Config, find_files, load_config, plugin_config, validated
from polyframe.runtime.settings import ALWAYS, DEFAULT_GUARDS
from polyframe.runtime.timerange import parse_timerange

ROOT = Path(__file__).parents[3]


@pytest.fixture
def put(tmp_path: Path):
    def put(name: str, value: object) -> Path:
        file = tmp_path / name
        file.write_text(value if isinstance(value, str) else json.dumps(value))
        return file

    return put


def load(*files: Path, **options):
    return load_config(files, **{"env": {}, **options})


def failure(*files: Path, **options) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(*files, **options)
    return caught.value


def test_without_any_file_there_is_a_configuration():
    loaded = load()
    assert loaded.config == Config()
    assert loaded.config.account.cash == 1000 * MONEY_ONE
    assert [placed.use.use for placed in loaded.config.guards()] == list(DEFAULT_GUARDS)
    assert loaded.config.left_out() == []
    assert loaded.config.forecasters["default"].use == "Recorded"
    assert loaded.source("account.cash") == "default"


def test_the_shipped_file_says_what_the_defaults_are():
    assert load(ROOT / "config.json").config == Config()


def test_reading_back_what_is_shown_gives_the_same(put):
    file = put(
        "c.json", {"account": {"cash": "12.5"}, "strategies": [{"use": "A", "allocation": 0.3}]}
    )
    config = load(file).config
    assert validated(config.plain()) == config
    assert config.account.cash == 12_500_000
    assert config.strategies[0].allocation == 300_000


def test_later_files_win_key_by_key_and_lists_are_replaced(put):
    one = put(
        "one.json", {"account": {"cash": 5}, "session": {"seed": 1}, "strategies": [{"use": "A"}]}
    )
    two = put("two.json", {"session": {"name": "b"}, "strategies": [{"use": "B"}, {"use": "C"}]})
    loaded = load(one, two)
    assert loaded.config.account.cash == 5 * MONEY_ONE
    assert (loaded.config.session.seed, loaded.config.session.name) == (1, "b")
    assert [s.use for s in loaded.config.strategies] == ["B", "C"]
    assert loaded.source("session.seed") == str(one)
    assert loaded.source("session.name") == str(two)
    assert loaded.source("strategies[1].use") == str(two)


def test_profiles_beside_and_inside_a_file(put):
    file = put(
        "config.json", {"session": {"seed": 1}, "profiles": {"dev": {"session": {"seed": 2}}}}
    )
    beside = put("config.prod.json", {"session": {"seed": 3}})
    assert load(file).config.session.seed == 1
    dev = load(file, profile="dev")
    assert dev.config.session.seed == 2
    assert dev.source("session.seed") == f"{file} (profile dev)"
    prod = load(file, profile="prod")
    assert prod.config.session.seed == 3
    assert prod.source("session.seed") == str(beside)
    error = failure(file, profile="prd")
    assert "no profile 'prd'" in error.message
    assert "dev, prod" in str(error.expected)


def test_the_environment_beats_files_and_the_command_line_beats_both(put):
    file = put(
        "c.json", {"account": {"cash": 5}, "strategies": [{"use": "A", "config": {"Fast": 1}}]}
    )
    env = {
        "POLYFRAME__ACCOUNT__CASH": "7.5",
        "POLYFRAME__Session__NAME": "plain-text",
        "POLYFRAME__STRATEGIES__0__CONFIG__FAST": "2",
        "POLYFRAME__STRATEGIES__0__CONFIG__NEW_KEY": "[1, 2]",
        "POLYFRAME__STRATEGIES__1__USE": "B",
        "POLYFRAME__PROTECTIONS__0__CONFIG__LIMIT": '"50"',
        "POLYFRAME__PROTECTIONS__0__USE": "MaxStake",
        "POLYFRAME_PLUGINS": "not a setting",
    }
    loaded = load(file, env=env)
    assert loaded.config.account.cash == 7_500_000
    assert loaded.config.session.name == "plain-text"
    assert loaded.config.strategies[0].config == {"Fast": 2, "new_key": [1, 2]}
    assert loaded.config.strategies[1].use == "B"
    assert loaded.config.protections[0].config == {"limit": "50"}
    assert loaded.source("account.cash") == "POLYFRAME__ACCOUNT__CASH"

    both = load(file, env=env, overrides={"account.cash": "9", "session": {"seed": 4}})
    assert both.config.account.cash == 9 * MONEY_ONE
    assert both.config.session.seed == 4
    assert both.source("account.cash") == "command line"


@pytest.mark.parametrize(
    ("variable", "value", "found", "expected"),
    [
        ("POLYFRAME__STRATEGIES__3__USE", "A", "has no item 3", "from 0 to 0"),
        ("POLYFRAME__STRATEGIES__X__USE", "A", "has no item X", "from 0 to 0"),
        ("POLYFRAME__ACCOUNT__CASH__MORE", "A", "holds a value", ""),
        ("POLYFRAME__ACCOUNT__", "A", "names no setting", "SECTION__KEY"),
        ("POLYFRAME__ACOUNT__CASH", "5", "POLYFRAME__ACOUNT__CASH: acount is not", "account?"),
        ("POLYFRAME__ACCOUNT__CASH", "many", "account.cash is 'many'", "decimal number"),
        ("POLYFRAME__VENUE__API_KEY", "abc", "venue", "never in a configuration"),
    ],
)
def test_a_wrong_variable_is_named(variable, value, found, expected):
    error = failure(env={variable: value})
    if variable.endswith("API_KEY"):
        assert "looks like a secret" in error.message
        assert "abc" not in str(error)
    else:
        assert found in error.message
    assert variable in error.message
    assert expected in str(error.expected)


CLASH = "contradicts itself"
WRONG = {
    '{"strategies": [{"use": "A", "confg": {}}]}': (
        "strategies[0].confg is not a setting",
        "config?",
    ),
    '{"protections": [{"use": "A", "ledgers": ["*"]}]}': (
        "protections[0].ledgers is not a setting",
        "one of use, for, enabled, config",
    ),
    '{"acount": {}}': ("acount is not a setting", "account?"),
    '{"venue": {"urls": {"clb": "http://localhost"}}}': (
        "venue.urls.clb is not a setting",
        "clob?",
    ),
    '{"version": 2}': ("version is 2", "1"),
    '{"session": {"seed": "x"}}': ("session.seed is 'x'", "valid integer"),
    '{"session": 5}': ("session is 5", "an object"),
    '{"strategies": {"use": "A"}}': ("strategies is an object", "a list"),
    '{"strategies": [{}]}': ("strategies[0].use is missing", "a value"),
    '{"account": {"cash": 0}}': ("account.cash is 0", "above zero"),
    '{"account": {"cash": "-5"}}': ("account.cash is '-5'", "above zero"),
    '{"account": {"cash": true}}': ("account.cash is true", "above zero"),
    '{"account": {"cash": "0.0000001"}}': ("account.cash is '0.0000001'", "a multiple of 0.000001"),
    '{"account": {"cash": "ten"}}': ("account.cash is 'ten'", "a decimal number"),
    '{"account": {"cash": "nan"}}': ("account.cash is 'nan'", "finite"),
    '{"strategies": [{"use": "A", "allocation": 1.5}]}': ("allocation is 1.5", "at most 1"),
    '{"strategies": [{"use": "A"}, {"use": "A"}]}': (CLASH, "A is there twice"),
    '{"strategies": [{"use": "A", "allocation": 0.7}, {"use": "B", "allocation": 0.4}]}': (
        CLASH,
        "they make 1.1",
    ),
    '{"strategies": [{"use": "A", "allocation": 1}, {"use": "B"}]}': (
        CLASH,
        "left for",
    ),
    '{"protections": [{"use": "A", "for": ["B"]}]}': (CLASH, "protections[0].for"),
    '{"protections": [{"use": "Balance", "enabled": false}]}': (
        CLASH,
        "always guards",
    ),
    '{"strategies": [{"use": "A"}], "protections": [{"use": "P", "for": ["A"], "enabled": 0}]}': (
        CLASH,
        "for all strategies",
    ),
    '{"forecasters": {"a": {"use": "X", "of": ["b"]}}}': (CLASH, "forecasters.a.of"),
    '{"forecasters": {"a": {"use": "X", "of": ["b"]}, "b": {"use": "X", "of": ["a"]}}}': (
        CLASH,
        "without a circle",
    ),
    '{"data": {"timerange": "2026-03-01..2026-01-01"}}': ("timerange is", "begins before it ends"),
    '{"venue": {"urls": {"clob": "http://me:pw@x.test"}}}': ("looks like a secret", "secrets in"),
    '{"venue": {"urls": {"clob": "ftp://x.test"}}}': ("venue.urls", "http(s)://"),
    '{"alerts": {"mail": 1}}': ("alerts.mail is not a setting", "nothing here"),
    '{"account": {"cash": NaN}}': ("NaN is no number", ""),
    '{"account": {"cash": 1e999}}': ("1e999 is too large", ""),
    '{"account": {}, "account": {}}': ("'account' stands twice", ""),
    "[1]": ("holds a list", "one JSON object"),
    '{"a": 1,\n "b": }': (":2:7: no JSON", "one JSON object"),
    '{"profiles": 5}': ("profiles is no object", ""),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named_with_its_path_and_file(put, text):
    file = put("c.json", text)
    error = failure(file)
    found, expected = WRONG[text]
    assert found in error.message
    assert expected in str(error.expected)
    assert str(file) in error.message
    assert error.exit_code == 2


def test_all_that_is_wrong_is_told_at_once(put):
    error = failure(put("c.json", {"acount": {}, "session": {"seed": -1}}))
    assert "2 settings are wrong" in error.message
    assert "acount" in error.message
    assert "session.seed is -1" in error.message


@pytest.mark.parametrize(
    "value",
    [
        {"venue": {"sim": {"private_key": "0xabc"}}},
        {"strategies": [{"use": "A", "config": {"openai_api_key": "abc"}}]},
        {"strategies": [{"use": "A", "config": {"note": "sk-abcdefghijklmnopqrstuv"}}]},
    ],
)
def test_a_secret_in_a_file_is_refused_by_path_and_never_repeated(put, value):
    error = failure(put("c.json", value))
    assert "looks like a secret" in error.message
    assert "abc" not in str(error)


def test_a_missing_or_unreadable_file_is_named(tmp_path, put):
    assert "does not exist" in failure(tmp_path / "no.json").message
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in failure(tmp_path / "bad.json").message
    assert "cannot be read" in failure(tmp_path).message


def test_plugin_settings_are_checked_with_their_full_path():
    class Idea(Strategy):
        class Config(PluginConfig):
            min_edge: float = 0.04

    path = "strategies[0].config"
    assert plugin_config(Idea, {"min_edge": 0.1}, path).min_edge == 0.1
    with pytest.raises(ConfigError) as caught:
        plugin_config(Idea, {"min_edg": 0.1}, path)
    assert "strategies[0].config.min_edg is not a setting" in caught.value.message
    assert caught.value.expected == "min_edge?"


def in_force(config: Config) -> list[tuple[str, tuple[str, ...], dict]]:
    return [(p.use.use, p.use.ledgers, p.use.config) for p in config.guards()]


def test_a_guard_that_is_not_mentioned_keeps_its_default():
    config = validated({"protections": [{"use": "MaxStake", "config": {"stake": 20}}]})
    expected = [(name, ("*",), {}) for name in DEFAULT_GUARDS]
    expected[DEFAULT_GUARDS.index("MaxStake")] = ("MaxStake", ("*",), {"stake": 20})
    assert in_force(config) == expected


def test_an_own_guard_and_one_for_a_strategy_stand_beside_the_defaults():
    uses = [{"use": "Mine"}, {"use": "MinEdge", "for": ["A"], "config": {"edge": 0.1}}]
    config = validated({"strategies": [{"use": "A"}], "protections": uses})
    assert in_force(config) == [
        *((name, ("*",), {}) for name in DEFAULT_GUARDS),
        ("Mine", ("*",), {}),
        ("MinEdge", ("A",), {"edge": 0.1}),
    ]


def test_a_guard_can_be_left_out_for_all_and_kept_for_one():
    uses = [{"use": "MinEdge", "enabled": False}, {"use": "MinEdge", "for": ["A"]}]
    config = validated({"strategies": [{"use": "A"}], "protections": uses})
    assert [p.use.ledgers for p in config.guards() if p.use.use == "MinEdge"] == [("A",)]
    assert config.left_out() == ["MinEdge"]


def test_all_that_are_not_named_can_be_left_out_at_once():
    uses = [{"use": "MaxStake", "config": {"stake": 9}}, {"use": "*", "enabled": False}]
    config = validated({"protections": uses})
    kept = {"MaxStake", *ALWAYS}
    assert [p.use.use for p in config.guards()] == [n for n in DEFAULT_GUARDS if n in kept]
    assert config.left_out() == [n for n in DEFAULT_GUARDS if n not in kept]


@pytest.mark.parametrize("more", [{}, {"enabled": False, "config": {"stake": 1}}])
def test_a_star_only_leaves_out(put, more):
    error = failure(put("c.json", {"protections": [{"use": "*"} | more]}))
    assert '{"use": "*", "enabled": false}' in str(error.expected)


@pytest.mark.parametrize("name", ALWAYS)
def test_what_always_guards_cannot_be_left_out(put, name):
    error = failure(put("c.json", {"protections": [{"use": name, "enabled": False}]}))
    assert f"{name} always guards" in str(error.expected)


def test_strategies_can_be_chosen_by_instance_or_class():
    config = validated(
        {
            "strategies": [{"use": "A", "name": "a1", "config": {"x": 1}}, {"use": "B"}],
            "protections": [{"use": "P", "for": ["B"]}, {"use": "Q"}],
        }
    )
    chosen = config.choosing(["a1", "C"])
    assert [(s.ledger, s.config) for s in chosen.strategies] == [("a1", {"x": 1}), ("C", {})]
    assert [p.use for p in chosen.protections] == ["Q"]
    assert [s.ledger for s in config.choosing(["A"]).strategies] == ["a1"]


@given(
    cash=st.integers(1, 10**15),
    parts=st.lists(st.none() | st.integers(1, 10**6), min_size=1, max_size=5),
)
def test_allocations_never_give_more_than_there_is(cash, parts):
    given_part = sum(p or 0 for p in parts)
    if given_part > 10**6 or (given_part == 10**6 and None in parts):
        return
    config = validated(
        {
            "account": {"cash": format_units(cash, 6)},
            "strategies": [
                {"use": f"S{i}", "allocation": None if p is None else format_units(p, 6)}
                for i, p in enumerate(parts)
            ],
        }
    )
    shares = config.allocations()
    assert sum(shares.values()) <= cash
    assert set(shares) == {f"S{i}" for i in range(len(parts))}
    if None in parts:
        assert sum(shares.values()) > cash - len(parts) - 1


def test_the_digest_follows_settings_and_not_places():
    base = Config().digest()
    assert (
        validated({"data": {"dir": "/elsewhere"}, "session": {"user_data": "x"}}).digest() == base
    )
    assert validated({"session": {"seed": 1}}).digest() != base


def test_time_ranges():
    assert parse_timerange("") == (None, None)
    assert parse_timerange("1970-01-02..1970-01-03") == (DAY, 3 * DAY)
    assert parse_timerange("19700102-") == (DAY, None)
    assert parse_timerange("-19700102") == (None, 2 * DAY)
    for wrong in ("..", "-", "yesterday", "2026-13-01..", "2026-01-01-2026-02-01"):
        with pytest.raises(ValueError, match="range of days"):
            parse_timerange(wrong)


def test_the_user_directorys_file_comes_before_the_one_here(tmp_path, put):
    here = put("config.json", {})
    inner = tmp_path / "user_data"
    assert find_files(inner, tmp_path) == [here]
    inner.mkdir()
    (inner / "config.json").write_text("{}")
    assert find_files(inner, tmp_path) == [inner / "config.json"]
    assert find_files(tmp_path / "none", tmp_path / "none") == []


def test_a_file_nested_without_end_is_refused(put):
    error = failure(put("c.json", "[" * 100_000))
    assert "nested too deep" in error.message
