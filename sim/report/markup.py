"""Pieces of HTML that reports share: text, tables, pictures, versions, and the style sheet."""

import base64
import html
import io
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata, resources
from string import Template

import matplotlib as mpl
from matplotlib.figure import Figure

from sim.document.document import Caveat
from sim.report.palette import Picture

_PACKAGES = ("mldelivery", "simpy", "numpy", "scipy", "pandas")


def page(template: str, **parts: str) -> str:
    """Return a page: a template of this package in the frame of all reports, filled with parts."""
    folder = resources.files("sim.report")
    frame, body = (folder.joinpath(name).read_text("utf-8") for name in ("page.html", template))
    style = resources.files("sim.document").joinpath("templates/style.css").read_text("utf-8")
    filled = Template(body).substitute(parts)
    return Template(frame).substitute(parts, style=style, body=filled)


def prose(text: str) -> str:
    """Return text for HTML; a number and its percent sign, and an interval, stay on one line."""
    return html.escape(text).replace(" %", "&nbsp;%").replace(" – ", "&nbsp;–&nbsp;")


def bullets(items: Sequence[str]) -> str:
    """Return a list of sentences."""
    lines = "\n".join(f"<li>{prose(item)}</li>" for item in items)
    return f"<ul>\n{lines}\n</ul>"


def caveat_section(found: Sequence[Caveat]) -> str:
    """Return a section with what to know before believing the numbers; nothing without any."""
    if not found:
        return ""
    lines = "\n".join(
        f"<li class='{'serious' if caveat.is_serious else 'note'}'>{prose(caveat.text)}</li>"
        for caveat in found
    )
    return (
        '<section aria-labelledby="caveats">\n<h2 id="caveats">Before you believe it</h2>\n'
        f'<ul class="caveats">\n{lines}\n</ul>\n</section>'
    )


def cell(text: str, css: str = "") -> str:
    """Return a cell of a table."""
    kind = f' class="{css}"' if css else ""
    return f"<td{kind}>{html.escape(text)}</td>"


def figure(picture: Picture) -> str:
    """Return a picture with its title, caption and text for those who cannot see it."""
    source = base64.b64encode(_svg(picture.figure)).decode("ascii")
    return (
        f'<figure>\n<img alt="{html.escape(picture.alt)}" '
        f'src="data:image/svg+xml;base64,{source}">\n'
        f"<figcaption><strong>{html.escape(picture.title)}</strong> "
        f"{html.escape(picture.caption)}</figcaption>\n</figure>"
    )


def _svg(figure: Figure) -> bytes:
    drawing = io.BytesIO()
    # With a fixed salt and no date, the same study gives the same file, byte for byte. Letters are
    # drawn as paths, so that the picture does not depend on the fonts of whoever opens it.
    with mpl.rc_context({"svg.hashsalt": "mldelivery", "svg.fonttype": "path"}):
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    return drawing.getvalue()


def facts(items: Mapping[str, str]) -> str:
    """Return names and what they are, a line each."""
    lines = "".join(f"<dt>{name}</dt><dd>{html.escape(fact)}</dd>" for name, fact in items.items())
    return f"<dl>{lines}</dl>"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed: run from a source checkout"
    return found
