"""The charts of a page of figures: what is drawn of the maquette and of what stands beside it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from api.graphiques import (
    Couvert,
    Effet,
    Etape,
    Graphique,
    Suivi,
    cascade,
    courbe,
    couverture,
    flux,
    leviers,
)
from api.graphiques.modele import echelle, jour_long
from projections.couverture import ChiffresCouverture, Couverture
from projections.levier import Formule
from projections.maquette import Maquette
from projections.tableau_de_bord import Seuil, TableauDeBord, a_venir, cumuls
from rules.parametres import parametre


def graphiques(maquette: Maquette, tableau: TableauDeBord | None) -> tuple[Graphique, ...]:
    """Return the charts of all that a reader sees."""
    total = maquette.total
    if tableau is None:
        attendus = 0
        trace = effets = None
    else:
        attendus = sum(b.declare for b in tableau.a_controler)
        trace = courbe_de(tableau, total.fse_maquette)
        effets = leviers_de(tableau)
    found = (trace, cascade(total, attendus), effets, flux(maquette.lignes))
    return tuple(g for g in found if g is not None)


# --- The curve -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Objectif:
    """What must be certified by a day, whoever has to; cents."""

    jour: date
    a_certifier: int
    manque: int
    manque_prevu: int
    prevu: bool
    passe: bool


def courbe_de(
    tableau: TableauDeBord, enveloppe: int, plie_id: str | None = None
) -> Graphique | None:
    """Draw the curve of a PLIE, or of all that the reader sees."""
    mois = [m for m in tableau.mois if plie_id in {None, m.plie_id}]
    retenu, certifie = (cumuls(mois, mesure) for mesure in ("fse_retenu_csf", "fse_certifie"))
    objectifs = _objectifs(tableau.seuils, plie_id)
    suites = [
        s
        for s in tableau.previsions.suites
        if s.mesure == "fse_certifie" and plie_id in {None, s.plie_id}
    ]
    au = _fin(tableau.le, [*retenu, *certifie], objectifs)
    deja = certifie[-1][1] if certifie else 0
    prevision = [(au, deja)]
    for jour, ajout in a_venir(suites):
        prevision.append((jour, prevision[-1][1] + ajout))
    return courbe(
        Suivi(
            retenu=retenu,
            certifie=certifie,
            prevision=prevision if len(prevision) > 1 else (),
            etapes=[
                Etape(o.jour, o.a_certifier, o.manque if o.passe else o.manque_prevu)
                for o in objectifs
            ],
            enveloppe=enveloppe,
            au=au,
        ),
        _conclure(objectifs, retenu[-1][1] if retenu else 0),
        _legende(len({s.plie_id for s in suites}) if len(prevision) > 1 else 0),
    )


def _objectifs(seuils: Iterable[Seuil], plie_id: str | None) -> list[_Objectif]:
    """Return the targets of the whole, else those of the PLIE that the reader sees, added up."""
    entiers = [s for s in seuils if s.entier]
    choisis = [s for s in entiers if s.plie_id == plie_id]
    if not choisis and plie_id is None:
        choisis = entiers
    par_jour: dict[date, list[Seuil]] = defaultdict(list)
    for seuil in choisis:
        par_jour[seuil.date_limite].append(seuil)
    return [
        _Objectif(
            jour=jour,
            a_certifier=sum(s.a_certifier for s in groupe),
            manque=sum(s.manque for s in groupe),
            manque_prevu=sum(s.manque_prevu for s in groupe),
            prevu=any(s.prevu is not None for s in groupe),
            passe=jour < groupe[0].ligne.le,
        )
        for jour, groupe in sorted(par_jour.items())
    ]


def _fin(le: date, points: Sequence[tuple[date, int]], objectifs: Sequence[_Objectif]) -> date:
    """Return where lines stop: the day of the figures, unless all was over long before."""
    derniers = [jour for jour, _ in points] + [o.jour for o in objectifs]
    return min(le, max(derniers, default=le))


def _conclure(objectifs: Sequence[_Objectif], retenu: int) -> str:
    """Say the target that still can be missed, else the last one that was, else none."""
    unite = echelle(max((o.a_certifier for o in objectifs), default=retenu))
    prochain = next((o for o in objectifs if not o.passe and o.manque), None)
    if prochain is not None:
        jour = jour_long(prochain.jour)
        if not prochain.prevu:
            return f"{unite.montant(prochain.manque)} à certifier d’ici le {jour}"
        if prochain.manque_prevu:
            return f"Il manque {unite.montant(prochain.manque_prevu)} au {jour}"
        return f"La prévision couvre le seuil du {jour}"
    manque = [o for o in objectifs if o.passe and o.manque]
    if manque:
        return f"Il manquait {unite.montant(manque[-1].manque)} au {jour_long(manque[-1].jour)}"
    if objectifs:
        return f"Le seuil du {jour_long(objectifs[-1].jour)} est atteint"
    return f"{unite.montant(retenu)} retenus après contrôle, sans objectif de certification"


def _legende(prevoyants: int) -> str:
    prevu = f" Tirets : certification prévue par {prevoyants} PLIE." if prevoyants else ""
    return (
        "Cumuls : en marine, retenu après contrôle de service fait ; en bleu, certifié ; en rouge, "
        f"ce qu’il faut avoir certifié à chaque seuil.{prevu}"
    )


# --- Levier and coverage -------------------------------------------------------------------------


def leviers_de(tableau: TableauDeBord) -> Graphique | None:
    """Draw the levier of each PLIE."""
    reference = parametre("levier_reference_pct", le=tableau.le).taux

    def effet(nom: str, formules: Sequence[Formule]) -> Effet:
        fse = formules[0]
        return Effet(nom, fse.valeur, fse.numerateur, fse.denominateur)

    return leviers(
        [effet(ligne.nom, ligne.formules) for ligne in tableau.levier.lignes if ligne.formules],
        effet("Ensemble", tableau.levier.formules),
        reference,
    )


def couverture_de(couverte: Couverture) -> Graphique | None:
    """Draw the coverage of each PLIE; what the OI shares is counted in the whole only."""

    def couvert(nom: str, chiffres: ChiffresCouverture) -> Couvert:
        manque = chiffres.decouvert - chiffres.decouvert_clos
        return Couvert(nom, chiffres.besoin, chiffres.attestee, manque)

    return couverture(
        [
            couvert(ligne.nom, ligne.chiffres)
            for ligne in sorted(couverte.lignes, key=lambda ligne: ligne.nom)
            if ligne.chiffres.besoin
        ],
        couvert("Ensemble", couverte.total),
    )
