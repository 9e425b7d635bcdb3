"""XML that is well-formed whatever it is told: elements, and the bytes of a document."""

from __future__ import annotations

import re

# It parses nothing: what it warns of is XML that others wrote.
import xml.etree.ElementTree as ET  # nosec B405

Element = ET.Element

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def allowed(text: str) -> str:
    """The text without what XML cannot hold."""
    return _FORBIDDEN.sub("", text)


def child(parent: Element, name: str, text: str | None = None, /, **attributes: str | None) -> Element:
    """Adds an element, with those attributes that are given."""
    given = {key: allowed(value) for key, value in attributes.items() if value is not None}
    element = ET.SubElement(parent, name, given)
    if text is not None:
        element.text = allowed(text)
    return element


def document(root: Element) -> bytes:
    """The bytes of a document, UTF-8."""
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"
