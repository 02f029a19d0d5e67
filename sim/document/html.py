"""A document as one HTML file that needs nothing but a browser."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from .document import Document
from .picture import Picture, save_picture, svg_source

_TALL = 20
"""Rows from which a table scrolls within the page."""


def to_html(document: Document) -> str:
    """Return a document as a page without scripts, references and network.

    Args:
        document: the document; its pictures are embedded as SVG.
    """
    return _environment().get_template("page.html").render(document=document, tall=_TALL)


def write_html(document: Document, path: Path) -> None:
    """Write a document as an HTML file, whose folder has to exist."""
    path.write_text(to_html(document), encoding="utf-8")


def write_document(document: Document, folder: Path, png: bool = False) -> None:
    """Write a document as ``report.html`` and its pictures into ``figures/``, which is made.

    Args:
        document: the document; its pictures should be drawn, or each of them is drawn twice.
        folder: where they go.
        png: whether pictures are written as PNG too.
    """
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for picture in document.pictures.values():
        save_picture(picture, figures, png)
    write_html(document, folder / "report.html")


def block_as_html(block: Any) -> str:
    """Return a block of a document as a piece of a page of somebody else's."""
    blocks = _environment().get_template("blocks.html").make_module({"tall": _TALL})
    return str(blocks.block(block))  # type: ignore[attr-defined] # a macro of the template


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("sim.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markdown = MarkdownIt("js-default", {"html": False}).enable("table")
    made.filters["prose"] = _prose
    made.filters["markdown"] = lambda text: Markup(markdown.render(text))
    made.filters["svg"] = svg_source
    made.filters["slug"] = slug
    made.filters["number_and_unit"] = _number_and_unit
    made.tests["picture"] = lambda block: isinstance(block, Picture)
    made.filters["type_name"] = lambda block: type(block).__name__
    return made


def _prose(text: str) -> Markup:
    """Return text for HTML; a number and its percent sign, and an interval, stay on one line."""
    return Markup(str(escape(text)).replace(" %", "&nbsp;%").replace(" – ", "&nbsp;–&nbsp;"))


def _number_and_unit(value: str) -> tuple[str, str]:
    """Return a value up to its last digit, and what follows: a unit may be smaller."""
    number = re.match(r".*\d", value)
    return (number[0], value[number.end() :]) if number else (value, "")


def slug(title: str) -> str:
    """Return the name of a section in the address of a page: ``where-lead-time-goes``."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "-".join(part for part in kept.split("-") if part)
