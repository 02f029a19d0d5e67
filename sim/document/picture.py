"""A picture: a figure with the words that go with it, and how it is drawn and written to files."""

import base64
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Drawing(NamedTuple):
    """A figure that is drawn: bytes, which travel between processes.

    Attributes:
        svg: the drawing as SVG.
        png: the same as PNG, if somebody asked for it.
    """

    svg: bytes
    png: bytes | None = None


@dataclass(frozen=True)
class Picture:
    """A figure with the words that go with it.

    Attributes:
        name: of its file, and of its place in a document.
        source: the figure, or what has been drawn of it.
        title: the question that it answers.
        caption: how to read it.
        alt: what it shows, for those who cannot see it.
        section: title of the section that shows it.
        media: where it is shown.
    """

    name: str
    source: "Figure | Drawing"
    title: str
    caption: str
    alt: str
    section: str = "In pictures"
    media: frozenset[Literal["terminal", "html", "markdown"]] = frozenset({"html", "markdown"})

    @property
    def figure(self) -> "Figure":
        """The figure.

        Raises:
            ValueError: it is drawn, and only the drawing is left.
        """
        if isinstance(self.source, Drawing):
            raise ValueError(f"{self.name} is drawn: its figure is gone")
        return self.source


def drawn(picture: Picture, png: bool = False) -> Picture:
    """Return a picture as a drawing: as it is, if it is one already.

    The same figure gives the same SVG, byte for byte, in whatever process it is drawn.

    Args:
        picture: the picture, whose figure this lays out.
        png: whether PNG is wanted too.
    """
    if isinstance(picture.source, Drawing):
        return picture
    import matplotlib as mpl  # takes a while, and a terminal draws nothing

    figure = picture.source
    # Once, and for both formats: most of the time goes into the layout.
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
    figure.set_layout_engine(None)  # "none" would still draw everything twice
    # With a fixed salt and no date, the same figure gives the same file. Letters are drawn as
    # paths, so that the picture does not depend on the reader's fonts.
    svg = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "mldelivery", "svg.fonttype": "path"}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    if not png:
        return replace(picture, source=Drawing(svg.getvalue()))
    pixels = io.BytesIO()
    figure.savefig(pixels, format="png", dpi=150)
    return replace(picture, source=Drawing(svg.getvalue(), pixels.getvalue()))


def save_picture(picture: Picture, folder: Path, png: bool = False) -> None:
    """Write a picture as SVG into a folder, called by its name; with `png` as PNG too.

    Raises:
        ValueError: PNG is wanted of a picture that was drawn without it.
    """
    picture = drawn(picture, png)
    (folder / f"{picture.name}.svg").write_bytes(_drawing(picture).svg)
    if png:
        (folder / f"{picture.name}.png").write_bytes(png_of(picture))


def png_of(picture: Picture) -> bytes:
    """Return a picture as PNG.

    Raises:
        ValueError: it was drawn without PNG.
    """
    found = _drawing(drawn(picture, png=True)).png
    if found is None:
        raise ValueError(f"{picture.name} was drawn without PNG")
    return found


def svg_source(picture: Picture) -> str:
    """Return a picture as SVG in a ``data:`` address."""
    encoded = base64.b64encode(_drawing(drawn(picture)).svg).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"


def _drawing(picture: Picture) -> Drawing:
    assert isinstance(picture.source, Drawing)
    return picture.source
