"""A picture: a figure with the words that go with it, and how it is written to a file."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with the words that go with it.

    Attributes:
        name: of its file, and of its place in a document.
        figure: the drawing.
        title: the question that it answers.
        caption: how to read it.
        alt: what it shows, for those who cannot see it.
        section: title of the section that shows it.
        media: where it is shown.
    """

    name: str
    figure: "Figure"
    title: str
    caption: str
    alt: str
    section: str = "In pictures"
    media: frozenset[Literal["terminal", "html", "markdown"]] = frozenset({"html", "markdown"})


def save_picture(picture: Picture, path: Path) -> None:
    """Write a picture as PNG; its layout is final then, so that drawing it again is quicker."""
    if (layout := picture.figure.get_layout_engine()) is not None:
        layout.execute(picture.figure)
    picture.figure.set_layout_engine(None)  # "none" would still draw everything twice
    picture.figure.savefig(path, dpi=150)


def svg_source(picture: Picture) -> str:
    """Return a picture as SVG in a ``data:`` address; the same figure gives the same text."""
    import matplotlib as mpl  # takes a while, and a terminal draws nothing

    drawing = io.BytesIO()
    # With a fixed salt and no date, the same figure gives the same file, byte for byte. Letters are
    # drawn as paths, so that the picture does not depend on the reader's fonts.
    with mpl.rc_context({"svg.hashsalt": "mldelivery", "svg.fonttype": "path"}):
        picture.figure.savefig(drawing, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(drawing.getvalue()).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
