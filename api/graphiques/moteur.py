"""The one door to the renderer of charts: a Vega-Lite specification goes in, clean SVG comes out.

The renderer runs in this process, reaches no other host, and lets other threads run. What it writes
is meant for its own page: English labels, fixed colours of text, names of marks. Here it is left
with shapes and texts only, so that the strict policy of the pages and a screen reader find one
picture with one French sentence.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert  # type: ignore[import-untyped]
from markupsafe import Markup, escape

#: A specification, as JSON would hold it.
Specification = Mapping[str, Any]

vl_convert.configure(
    base_url=False, allowed_base_urls=[], auto_google_fonts=False, max_v8_execution_time_secs=10
)

#: Charts kept: those of a day of work on a few PLIE, at a few kilobytes each.
_GARDES = 256
_SVG = "{http://www.w3.org/2000/svg}"
#: What shapes are made of; the rest is for scripts, or for readers of English.
_ATTRIBUTS = frozenset(
    (
        *(
            "d",
            "x",
            "y",
            "dx",
            "dy",
            "x1",
            "x2",
            "y1",
            "y2",
            "width",
            "height",
            "rx",
            "r",
            "transform",
        ),
        *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "opacity"),
        *("stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
        *("text-anchor", "font-size", "font-weight", "font-style"),
    )
)
_DECIMALES = re.compile(r"-?\d+\.\d{2,}")

#: What every chart shares: the colours and sizes of app.css.
_CONFIG = {
    "font": "Source Sans 3",
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelColor": "#526074",
        "labelFontSize": 13,
        "labelPadding": 6,
        "title": None,
    },
    "axisY": {"grid": True, "gridColor": "#dce2ea"},
    "text": {"fontSize": 13, "color": "#17263c"},
}


def dessiner(specification: Specification, phrase: str) -> Markup:
    """Return the SVG of a chart, named by a sentence; each specification is drawn once."""
    corps = _corps(json.dumps(specification, sort_keys=True, ensure_ascii=False))
    largeur, hauteur, formes = corps
    return Markup(  # noqa: S704 - shapes are written here from numbers, texts are escaped
        f'<svg class="graphique" viewBox="0 0 {largeur} {hauteur}" role="img" focusable="false">'
        f"<title>{escape(phrase)}</title>{formes}</svg>"
    )


@lru_cache(maxsize=_GARDES)
def _corps(specification: str) -> tuple[str, str, str]:
    """Draw: return the width, the height and the shapes."""
    demandee = {"$schema": _SCHEMA, **json.loads(specification)}
    svg = vl_convert.vegalite_to_svg(demandee, config=_CONFIG, format_locale="fr-FR")
    # Parsed as it leaves the renderer: nobody else wrote it.
    racine = ET.fromstring(svg)  # noqa: S314
    _nettoyer(racine)
    formes = "".join(ET.tostring(enfant, encoding="unicode") for enfant in racine)
    return racine.get("width", "0"), racine.get("height", "0"), formes


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def _nettoyer(element: ET.Element) -> None:
    """Keep shapes and texts, without what only the renderer's own page would use."""
    element.tag = element.tag.removeprefix(_SVG)
    for nom in set(element.attrib) - _ATTRIBUTS:
        del element.attrib[nom]
    if element.get("opacity") == "1":
        del element.attrib["opacity"]
    for nom, valeur in element.attrib.items():
        element.set(nom, _DECIMALES.sub(_arrondir, valeur))
    for enfant in list(element):
        _nettoyer(enfant)
        if _invisible(enfant):
            element.remove(enfant)


def _arrondir(nombre: re.Match[str]) -> str:
    """A tenth of a pixel is more than anybody sees."""
    return f"{float(nombre[0]):.1f}".removesuffix(".0")


def _invisible(element: ET.Element) -> bool:
    """Tell whether nothing of it is seen: an empty group, a shape without size or without ink."""
    if element.get("opacity") == "0":
        return True
    if element.tag == "g":
        return len(element) == 0
    if element.tag == "path":
        encre = {element.get("fill", "none"), element.get("stroke", "none")}
        return not element.get("d") or encre <= {"none", "transparent"}
    return element.tag == "text" and not element.text and len(element) == 0
