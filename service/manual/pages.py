"""The pages of the manual as they are sent. Knows nothing of requests."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from schema import sdl
from service.manual.contents import CONTENTS, OPERATORS, REFERENCE, Entry, Group
from service.manual.markdown import Rendered, Section, rendered, rendered_line
from service.manual.reference import reference

_PACKAGE = files("service.manual")


class Link(NamedTuple):
    """A link of the header."""

    text: str
    path: str


class Titled(NamedTuple):
    """A page in the navigation."""

    name: str
    title: str
    about: str


class Manual:
    """The pages, each made when it is first asked for. Without `introspection` there is no reference."""

    def __init__(self, *, introspection: bool, graphiql: bool) -> None:
        self._introspection = introspection
        explore = (Link("GraphiQL", "/graphql"),) if graphiql else ()
        self._links = (Link("News", "/"), Link("Docs", "/docs"), *explore, Link("REST", "/v1/openapi.json"))
        loader = PackageLoader("service.manual")
        templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        templates.filters["line"] = rendered_line
        self._templates = templates
        self.styles = (_PACKAGE / "manual.css").read_bytes()
        self._groups = cache(self._titled)
        self.page = cache(self._page)

    @property
    def names(self) -> list[str]:
        """The pages that there are, beside the index."""
        return [entry.name for group in CONTENTS for entry in group.entries if self._is_there(entry)]

    def _page(self, name: str) -> bytes:
        """A page by its name, the index by the empty one; raises KeyError where there is none."""
        if not name:
            return self._laid_out("index.html", "Documentation", current="")
        if name not in self.names:
            raise KeyError(name)
        if name == REFERENCE:
            kinds = reference(sdl())
            sections = tuple(Section(kind.anchor, kind.title) for kind in kinds)
            return self._laid_out("reference.html", "Reference", current=name, sections=sections, kinds=kinds)
        page = _of_file(name)
        return self._laid_out("page.html", page.title, current=name, sections=page.sections, content=page.content)

    def refusal(self, title: str, told: str) -> bytes:
        """The page in place of one that is not there, or that cannot be had so."""
        return self._laid_out("refusal.html", title, current=None, told=told)

    def _laid_out(
        self, template: str, title: str, *, current: str | None, sections: tuple[Section, ...] = (), **content: object
    ) -> bytes:
        page = self._templates.get_template(template)
        return page.render(
            title=title,
            current=current,
            sections=sections,
            groups=self._groups(),
            links=self._links,
            schema=self._introspection,
            **content,
        ).encode()

    def _titled(self) -> list[tuple[str, bool, list[Titled]]]:
        """The groups: their titles, whether they are for operators, their pages."""
        return [(group.title, group in OPERATORS, self._entries(group)) for group in CONTENTS]

    def _entries(self, group: Group) -> list[Titled]:
        there = (entry for entry in group.entries if self._is_there(entry))
        return [Titled(entry.name, _title(entry.name), entry.about) for entry in there]

    def _is_there(self, entry: Entry) -> bool:
        return self._introspection or entry.name != REFERENCE


@cache
def _of_file(name: str) -> Rendered:
    return rendered(_text(name))


def _text(name: str) -> str:
    return (_PACKAGE / "docs" / f"{name}.md").read_text(encoding="utf-8")


def _title(name: str) -> str:
    return "Reference" if name == REFERENCE else _text(name).partition("\n")[0].removeprefix("# ")
