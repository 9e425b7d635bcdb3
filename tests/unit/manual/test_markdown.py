from __future__ import annotations

import re

import pytest

from service.manual.markdown import Section, anchor_of, rendered


def content(text: str) -> str:
    return rendered(f"# Title\n\n{text}").content


def test_the_first_line_is_the_title_and_headings_below_are_sections() -> None:
    page = rendered("# A `title`\n\nText.\n\n## First part\n\n### Below\n\n## First part\n")
    assert page.title == "A title"
    assert page.sections == (Section("first-part", "First part"), Section("first-part-1", "First part"))
    assert re.findall(r'<h\d id="([^"]+)">', page.content) == ["first-part", "below", "first-part-1"]
    assert 'href="#below" aria-label="Link to: Below"' in page.content


def test_a_page_without_a_title_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with its title"):
        rendered("Text.\n\n# Late\n")


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("ParallaxGone", "parallaxgone"),
        ("What's new, in 2?", "whats-new-in-2"),
        ("A / b", "a--b"),
        ("`first` last", "first-last"),
    ],
)
def test_an_anchor_is_what_github_makes(heading: str, anchor: str) -> None:
    assert rendered(f"# T\n\n## {heading}\n").sections[0].anchor == anchor
    assert anchor_of(heading.replace("`", "")) == anchor


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[a](figures.md)", '<a href="/docs/figures">a</a>'),
        ("[a](./figures.md#an-example)", '<a href="/docs/figures#an-example">a</a>'),
        ("[a](#here)", '<a href="#here">a</a>'),
        ("[a](/graphql)", '<a href="/graphql">a</a>'),
        ("[bad-inputs.md](bad-inputs.md)", '<a href="/docs/bad-inputs">bad inputs</a>'),
        ("[a](https://example.org/x.md)", '<a href="https://example.org/x.md">a</a>'),
        ("[a](../schema/schema.graphql)", '<a href="/schema.graphql">a</a>'),
        ("[a](decisions/0001-one-statement.md)", "<p>a</p>"),
        ("[a](../SECURITY.md), [b](figures.md)", '<p>a, <a href="/docs/figures">b</a></p>'),
        ("[**a** `b`](../Makefile)", "<strong>a</strong> <code>b</code>"),
    ],
)
def test_links_lead_to_what_is_served(link: str, shown: str) -> None:
    assert shown in content(link)


def test_a_link_that_would_run_a_script_stays_text() -> None:
    assert "<a " not in content("[a](javascript:alert(1))")


def test_html_shows_as_it_is_written() -> None:
    assert "&lt;script&gt;" in content("<script>alert(1)</script>\n\nand <b>bold</b>")
    assert "<b>" not in content("and <b>bold</b>")


def test_a_place_can_be_linked_to() -> None:
    assert content('<a id="here"></a>**Here** it is.') == '<p><a id="here"></a><strong>Here</strong> it is.</p>\n'
    assert "&lt;a id" in content('<a id="x" onclick="alert(1)"></a>')


def test_code_is_coloured_by_classes_and_kept_as_it_is() -> None:
    shown = content('```python\nif a < b:\n    print("<i>")\n```')
    assert '<span class="k">if</span>' in shown
    assert "&lt;i&gt;" in shown
    assert "<i>" not in shown
    for code in ("```nothing-known\n<b>\n```", "```\n<b>\n```", "    <b>"):
        assert "<code>&lt;b&gt;\n</code>" in content(code)


def test_words_after_the_language_are_for_tests_alone() -> None:
    shown = content('```json exactly\n{"a": 1}\n```')
    assert 'data-language="json"' in shown
    assert "exactly" not in shown


def test_a_header_without_words_is_none() -> None:
    shown = content("| | b |\n| --- | --- |\n| 1 | 2 |")
    assert "<td></td>\n<th>b</th>" in shown
    assert shown.count("<td>") == shown.count("</td>") == 3


def test_a_long_name_breaks_at_its_underscores() -> None:
    assert "<code>A_<wbr>B&lt;</code>" in content("`A_B<`")
    assert "<code>/<wbr>v1/<wbr>stories/</code>" in content("`/v1/stories/`")


def test_nothing_has_a_style_of_its_own() -> None:
    shown = content("| a | b |\n| --: | :-: |\n| 1 | 2 |")
    assert "style=" not in shown
    assert '<td class="right">1</td>' in shown
    assert '<div class="wide" tabindex="0">' in shown
