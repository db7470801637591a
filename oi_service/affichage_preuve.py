"""How the terminal shows what the verification of the log found."""

from collections.abc import Iterable, Iterator

from api.filters import entier
from oi_service.preuve.examen import Preuve
from oi_service.preuve.point import en_base64
from projections.verification import Controle

_NE_PROUVE_PAS = (
    "Ce qui n’est pas prouvé : qu’un fait est vrai ; ni que rien n’a été refait depuis la dernière "
    "ancre par quelqu’un qui aurait tous les droits. Une ancre tenue par un tiers se compare avec "
    "« oi verifier-journal --ancre FICHIER »."
)


def afficher_preuve(preuve: Preuve, autres: Iterable[Controle]) -> Iterator[str]:
    """Yield the lines of the report, the first bad record last but one."""
    examen = preuve.examen
    for controle in (*preuve.controles, *autres):
        yield f"{'✗' if controle.ecarts else '✓'} {controle.code}  {controle.enonce}"
        yield from (f"      {ecart}" for ecart in controle.ecarts)
    relus = examen.taille - examen.depuis + 1
    yield f"{entier(relus)} événements recalculés sur {entier(examen.taille)}."
    if examen.depuis > 1:
        yield (
            f"Les {entier(examen.depuis - 1)} premiers, vérifiés une autre fois, n’ont pas été "
            "relus : sans --reprendre, tout l’est."
        )
    yield f"Racine du journal, comme les ancres l’écrivent : {en_base64(examen.racine)}"
    if examen.ancres:
        yield f"Ancres que le journal continue : {entier(examen.ancres)}."
    else:
        yield "Aucune ancre n’a été comparée : « oi ancrer » en fait une."
    if examen.premiere is not None:
        yield f"Premier événement en cause : n° {entier(examen.premiere)}."
    yield _NE_PROUVE_PAS
