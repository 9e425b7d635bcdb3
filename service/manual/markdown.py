"""Markdown as HTML for the manual: anchors on headings, links between pages, code in classes. Nothing inline."""

# pyright: reportUnknownVariableType=false
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|/", re.IGNORECASE)
_PLACE = re.compile(r'<a id="([a-z0-9-]+)"></a>')
"""The one piece of HTML that is taken as such: a place to link to where no heading is."""
_PARTS = re.compile(r"([_/])(?=\w)")
_PAGE = re.compile(r"(?:\./)?([a-z0-9-]+)\.md(#.*)?")
_FILE = re.compile(r"([a-z0-9-]+)\.md")
"""How pages name each other where they are read as files."""
_SERVED = {"../schema/schema.graphql": "/schema.graphql"}
"""Files of the repository that are served too."""


class Section(NamedTuple):
    """A heading below the title: its anchor and its text."""

    anchor: str
    text: str


class Rendered(NamedTuple):
    """A page: its title, its content below that, and its sections."""

    title: str
    content: str
    sections: tuple[Section, ...]


def rendered(text: str) -> Rendered:
    """A file of docs/ as HTML. Its first line is its title; HTML in it shows as it is written, but for places."""
    tokens = _MARKDOWN.parse(text)
    opening, heading, closing = tokens[:3]
    if opening.tag != "h1":
        raise ValueError("a page begins with its title, # …")
    assert closing.type == "heading_close"
    tokens = tokens[3:]
    sections = tuple(_anchored(tokens))
    for token in tokens:
        if token.type == "inline":
            token.children = list(_linked(token.children or []))
    return Rendered(_plain(heading), _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}), sections)


def rendered_line(text: str) -> str:
    """A line of Markdown, such as a description of the schema, as HTML."""
    return _MARKDOWN.renderInline(text)


def highlighted(code: str, language: str) -> str:
    """Code in spans with classes; as it is where the language is not known."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    return highlight(code, lexer, _CLASSES)


def anchor_of(text: str) -> str:
    """What GitHub makes of a heading, so that one link works there and here."""
    kept = re.sub(r"[^\w\- ]", "", text.lower())
    return kept.replace(" ", "-")


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])


def _anchored(tokens: Sequence[Token]) -> Iterator[Section]:
    """Gives each heading its anchor, and tells the sections."""
    taken: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = _plain(inline)
        anchor = anchor_of(text)
        times = taken[anchor] = taken.get(anchor, -1) + 1
        if times:
            anchor = f"{anchor}-{times}"
        opening.attrSet("id", anchor)
        permalink = Token("html_inline", "", 0)
        label = escape(f"Link to: {text}")
        permalink.content = f' <a class="anchor" href="#{escape(anchor)}" aria-label="{label}">#</a>'
        inline.children = [*(inline.children or []), permalink]
        if opening.tag == "h2":
            yield Section(anchor, text)


def _linked(children: Sequence[Token]) -> Iterator[Token]:
    """Leads links to where the pages are served; of links to files that are not, the text stays. Makes places."""
    follows = True
    for child in children:
        if child.type == "text" and (place := _PLACE.match(child.content)):
            yield Token("html_inline", "", 0, content=place[0])
            child.content = child.content[place.end() :]
        if child.type == "text" and (name := _FILE.fullmatch(child.content)):
            child.content = name[1].replace("-", " ")
        if child.type == "link_open":
            target = _served(str(child.attrGet("href")))
            follows = target is not None
            child.attrSet("href", target or "")
        if follows or child.type not in ("link_open", "link_close"):
            yield child


def _served(href: str) -> str | None:
    if href.startswith("#") or _ELSEWHERE.match(href):
        return href
    if page := _PAGE.fullmatch(href):
        return f"/docs/{page[1]}{page[2] or ''}"
    return _SERVED.get(href)


def _fence(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    language = tokens[index].info.partition(" ")[0]
    return _code(highlighted(tokens[index].content, language), language)


def _block(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    return _code(escape(tokens[index].content), "")


def _code(html: str, language: str) -> str:
    """Code that can be scrolled by the keyboard too."""
    kind = f' data-language="{escape(language)}"' if language else ""
    return f'<pre class="code" tabindex="0"{kind}><code>{html}</code></pre>\n'


def _table(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    return '<div class="wide" tabindex="0">\n<table>\n' if tokens[index].nesting > 0 else "</table>\n</div>\n"


def _cell(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    """A cell, with its alignment as a class: as the policy wants it. A header says something, or is none."""
    token = tokens[index]
    content = tokens[index + (1 if token.nesting > 0 else -1)].content
    tag = token.tag if content else "td"
    if token.nesting < 0:
        return f"</{tag}>\n"
    style = str(token.attrGet("style") or "")
    return f'<{tag} class="{style.partition(":")[2]}">' if style else f"<{tag}>"


def _name(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    """Code in a line; a long name breaks behind its underscores and slashes first."""
    parts = _PARTS.sub("\\1<wbr>", escape(tokens[index].content))
    return f"<code>{parts}</code>"


class _Classes(HtmlFormatter[str]):
    """Spans alone, without a block around them."""

    def __init__(self) -> None:
        super().__init__(nowrap=True)


_CLASSES = _Classes()
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
for _type, _rule in {
    "fence": _fence,
    "code_block": _block,
    "table_open": _table,
    "table_close": _table,
    "th_open": _cell,
    "th_close": _cell,
    "td_open": _cell,
    "code_inline": _name,
}.items():
    _MARKDOWN.add_render_rule(_type, _rule)
