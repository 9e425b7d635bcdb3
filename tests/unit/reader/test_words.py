from __future__ import annotations

import pytest

from service.reader.words import counted, day, direction, hour, moment, shortened, web_url, words


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ar", "rtl"), ("he-IL", "rtl"), ("FA", "rtl"), ("en", "ltr"), ("pt-BR", "ltr"), ("ja", "ltr"), (None, "auto"),
        ("pa-Arab", "rtl"), ("pa", "ltr"), ("az-Arab-IR", "rtl"), ("ku-Latn", "ltr"), ("ar-Latn", "ltr"),
    ],
)  # fmt: skip
def test_the_script_of_a_language_says_which_way_it_is_read(language: str | None, told: str) -> None:
    assert direction(language) == told


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://a.example/x?y#z", "HTTPS://A.example", "http://[x/", "http://a℀b.example/"]
)
def test_pages_link_to_the_web(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//a.example", "/x", "ftp://a.b"],
)
def test_pages_link_to_nothing_else(url: str | None) -> None:
    assert web_url(url) is None


def test_times_are_told_in_utc() -> None:
    assert moment("2026-11-03T17:18:32.1086+00:00") == "3 Nov 2026, 17:18 UTC"
    assert moment("2026-11-03T23:30:00-02:00") == "4 Nov 2026, 01:30 UTC"
    assert hour("2026-11-03T17:00:00+00:00") == "3 Nov, 17:00"
    assert day("2026-11-03T17:18:32+00:00") == "3 Nov 2026"


def test_counts_have_their_noun() -> None:
    assert [counted(each, "story", "stories") for each in (0, 1, 1_234)] == ["0 stories", "1 story", "1,234 stories"]
    assert counted(2, "source") == "2 sources"


def test_values_of_enums_are_words() -> None:
    assert [words(each) for each in ("LEAN_LEFT", "NEWS_AGENCY", "VERY_HIGH")] == [
        "Lean left", "News agency", "Very high",
    ]  # fmt: skip


def test_a_long_text_is_cut_between_words() -> None:
    assert shortened("short") == "short"
    cut = shortened("word, " * 60)
    assert cut.endswith("word…")
    assert len(cut) <= 159
    assert shortened("x" * 200) == "x" * 158 + "…"
