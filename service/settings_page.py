"""docs/settings.md, made of the settings themselves: `python -m service.settings_page` writes it."""

from __future__ import annotations

import sys

from service.settings import PREFIX, Settings, default_of


def settings_page() -> str:
    """docs/settings.md: every setting with its default and its meaning."""
    fields = Settings.model_fields
    rows = [f"| `{name.upper()}` | {default_of(name)} | {field.description} |" for name, field in fields.items()]
    return "\n".join([_PAGE_HEAD, *rows]) + "\n"


_PAGE_HEAD = f"""\
# Settings

Parallax is set by environment variables, each with the prefix `{PREFIX}`: `PORT` below is `{PREFIX}PORT`. An empty
variable counts as none. A value that will not do stops the start, and says what would.

This page is made from the class `Settings` by `make docs`.

| setting | default | meaning |
| --- | --- | --- |"""


if __name__ == "__main__":
    sys.stdout.write(settings_page())
