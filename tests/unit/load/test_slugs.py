import re

import pytest

from service.load.slugs import story_slug


@pytest.mark.parametrize(
    ("title", "begins"),
    [
        ("The Flash: Grant Gustin's Full Costume", "the-flash-grant-gustins-full-costume-"),
        ("Straße nach Łódź — über Øresund", "strasse-nach-lodz-uber-oresund-"),
        ("  100% of «nothing»  ", "100-of-nothing-"),
        ("İstanbul'da", "istanbulda-"),
        ("北京", "story-"),
        ("Привет NATO", "nato-"),
        ("!!!", "story-"),
        ("½ ﬁne", "1-2-fine-"),
    ],
)
def test_titles_are_folded_to_ascii(title: str, begins: str) -> None:
    assert re.fullmatch(re.escape(begins) + "[a-z0-9]{8}", story_slug(title, "k"))


def test_at_most_80_characters_of_a_title_are_in_a_slug() -> None:
    assert len(story_slug("x" * 1_000, "k")) == 80 + 1 + 8
    assert "--" not in story_slug("x" * 79 + " y", "k")


def test_a_slug_depends_on_title_and_key_alone() -> None:
    assert story_slug("A", "1") == story_slug("A", "1")
    assert len({story_slug("A", str(n)) for n in range(10_000)}) == 10_000
