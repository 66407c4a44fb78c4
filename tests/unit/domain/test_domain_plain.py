"""Texts from outside as they are shown."""

from __future__ import annotations

from polyframe.domain.plain import one_line, shortened, visible


def test_what_would_control_a_terminal_is_shown_as_nothing_special() -> None:
    assert visible("a\x1b[31mb\x00c\n") == "a�[31mb�c\n"


def test_a_text_becomes_one_line() -> None:
    assert one_line(" Will\tit \n rain? ") == "Will it rain?"
    assert one_line("   ") == "(blank)"


def test_of_a_long_text_the_beginning_is_shown_and_its_length() -> None:
    assert one_line("x" * 1_200, 3) == "xxx… (1,200 characters)"
    assert one_line("abc", 3) == "abc"


def test_a_name_keeps_both_of_its_ends() -> None:
    slug = "btc-updown-15m-1765450800"
    assert shortened(slug, 25) == slug
    assert shortened(slug, 24) == "btc-updown-1…-1765450800"
    assert shortened(slug, 11) == "btc-u…50800"
    for most in range(3, 30):
        assert len(shortened(slug, most)) == min(most, len(slug))
