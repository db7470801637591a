"""What stands behind the figures of a dossier: dépenses, indicators, contreparties, avenants.

All of it is told by the facts that the page has read already: nothing is asked of the database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from urllib.parse import urlencode
from uuid import UUID

from aggregates.convention.events import BilanDepose, BilanRenvoye
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation.events import IndicateurRenseigne
from api.pages.ecriture import Lien, ancre, lien, majuscule, nombre, phrase, poste
from oi_service.codec import Evenement
from projections.contreparties import Affectation
from projections.fiche_operation import AvenantVu, ConventionVue, IndicateurSuivi
from projections.journal import EvenementLu
from rules.nomenclature import RESSOURCES

#: Dépenses that the page shows; the list of dépenses has them all.
NB_DEPENSES = 30

_STATUTS = {
    "declaree": ("Déclarée", "attention"),
    "controlee": ("Contrôlée", "bien"),
    "annulee": ("Annulée", "information"),
}
_COMPARATEURS = {">=": "au moins", "<=": "au plus", "=": "exactement"}
_AVENANTS = {
    "demande": ("Demandé", "attention"),
    "programme": ("Programmé, à signer", "attention"),
    "signe": ("Signé", "bien"),
    "abandonne": ("Abandonné", "information"),
}


@dataclass(frozen=True, slots=True)
class DepenseRejouee:
    """A dépense as its facts leave it: the last one, and the last decision of a control."""

    dernier: EvenementLu
    etat: Depense
    controle: DepenseControlee | None


@dataclass(frozen=True, slots=True)
class DepenseDeLaPage:
    """A dépense, where it stands, and the fact that says it."""

    libelle: str
    piece: str
    poste: str
    le: date
    montant: int
    retenu: int | None
    statut: str
    niveau: str
    lien: str


@dataclass(frozen=True, slots=True)
class DepensesDeLaPage:
    """The dépenses of a dossier, the last ones first; sums are those of all that stand."""

    lignes: tuple[DepenseDeLaPage, ...]
    nombre: int
    montant: int
    a_rattacher: int
    a_controler: int
    retenu: int
    liste: str  #: where all of them are


@dataclass(frozen=True, slots=True)
class IndicateurDeLaPage:
    """A promise, what was reached, and what proves it."""

    libelle: str
    cible: str
    realise: str | None
    taux: Fraction | None
    resultat: str | None
    niveau: str
    attendues: tuple[str, ...]
    actes: tuple[Lien, ...]
    pieces: tuple[tuple[str, str, bool], ...]  #: words, SHA-256, whether its file is here


@dataclass(frozen=True, slots=True)
class ContrepartieDeLaPage:
    """What a funder brings to the operation."""

    financeur: str
    type: str
    annee: int
    montant: int


@dataclass(frozen=True, slots=True)
class AvenantDeLaPage:
    """An avenant: what it changes, before and after."""

    ancre: str
    titre: str
    statut: str
    niveau: str
    motif: str | None
    jours: tuple[tuple[str, date], ...]
    differences: tuple[tuple[str, str, str], ...]


def rejouees(lus: Iterable[tuple[EvenementLu, Evenement]]) -> list[DepenseRejouee]:
    """Replay the dépenses of a dossier, in the order in which they were declared."""
    flux: dict[UUID, list[tuple[EvenementLu, Evenement]]] = {}
    for lu, fait in lus:
        if lu.name.startswith("depense."):
            flux.setdefault(lu.stream_id, []).append((lu, fait))
    found = []
    for faits in flux.values():
        etat = DEPENSE.replay(fait for _, fait in faits)
        assert etat is not None
        controles = [fait for _, fait in faits if isinstance(fait, DepenseControlee)]
        found.append(DepenseRejouee(faits[-1][0], etat, controles[-1] if controles else None))
    return found


def depenses_de_la_page(
    numero: str, lus: Sequence[tuple[EvenementLu, Evenement]], requete: Mapping[str, str]
) -> DepensesDeLaPage:
    """Replay the dépenses of a dossier."""
    bilans = _rattachees(lus)
    etats = sorted(
        ((d.dernier, d.etat) for d in rejouees(lus)), key=lambda x: x[0].position, reverse=True
    )
    debout = [(lu, etat) for lu, etat in etats if etat.statut != "annulee"]
    return DepensesDeLaPage(
        lignes=tuple(_depense(lu, etat) for lu, etat in etats[:NB_DEPENSES]),
        nombre=len(debout),
        montant=sum(etat.montant for _, etat in debout),
        a_rattacher=sum(
            etat.montant
            for lu, etat in debout
            if etat.statut == "declaree" and lu.stream_id not in bilans
        ),
        a_controler=sum(
            etat.montant
            for lu, etat in debout
            if etat.statut == "declaree" and lu.stream_id in bilans
        ),
        retenu=sum(etat.retenu for _, etat in debout if etat.statut == "controlee"),
        liste=f"/depenses?{urlencode({'operation': numero, **requete})}",
    )


def _rattachees(lus: Iterable[tuple[EvenementLu, Evenement]]) -> set[UUID]:
    """Return the dépenses that a bilan carries; one that was sent back carries none."""
    renvoyes = {fait.bilan_id for _, fait in lus if isinstance(fait, BilanRenvoye)}
    return {
        depense_id
        for _, fait in lus
        if isinstance(fait, BilanDepose) and fait.bilan_id not in renvoyes
        for depense_id in fait.depenses
    }


def _depense(lu: EvenementLu, etat: Depense) -> DepenseDeLaPage:
    statut, niveau = _STATUTS[etat.statut]
    if etat.statut == "controlee" and etat.ecarte > 0:
        statut, niveau = ("Écartée" if etat.retenu == 0 else "Écartée en partie"), "attention"
    return DepenseDeLaPage(
        libelle=phrase(etat.detail.nature),
        piece=etat.detail.piece_ref,
        poste=poste(etat.detail.poste),
        le=etat.detail.date_piece,
        montant=etat.montant,
        retenu=etat.retenu if etat.statut == "controlee" else None,
        statut=statut,
        niveau=niveau,
        lien=f"#{ancre(lu.position)}",
    )


def indicateurs_de_la_page(
    suivis: Iterable[IndicateurSuivi],
    lus: Sequence[tuple[EvenementLu, Evenement]],
    deposee: Callable[[str], bool],
) -> tuple[IndicateurDeLaPage, ...]:
    """Prepare the indicators; ``deposee`` tells whether the file of a document is here."""
    renseignes = [(lu, fait) for lu, fait in lus if isinstance(fait, IndicateurRenseigne)]
    vues = []
    for suivi in suivis:
        siens = [(lu, fait) for lu, fait in renseignes if fait.indicateur == suivi.numero]
        resultat, niveau = _resultat(suivi)
        vues.append(
            IndicateurDeLaPage(
                libelle=phrase(suivi.libelle),
                cible=f"{_COMPARATEURS.get(suivi.comparateur, suivi.comparateur)} "
                f"{nombre(suivi.cible)}\u00a0{suivi.unite}",
                realise=None
                if suivi.realise is None
                else f"{nombre(suivi.realise)}\u00a0{suivi.unite}",
                taux=suivi.taux,
                resultat=resultat,
                niveau=niveau,
                attendues=tuple(phrase(piece) for piece in suivi.pieces),
                actes=tuple(lien(lu, f"renseigné à {nombre(fait.realise)}") for lu, fait in siens),
                pieces=tuple(
                    {
                        piece.sha256: (
                            phrase(piece.libelle),
                            piece.sha256,
                            deposee(piece.sha256),
                        )
                        for _, fait in siens
                        for piece in fait.pieces
                    }.values()
                ),
            )
        )
    return tuple(vues)


def _resultat(suivi: IndicateurSuivi) -> tuple[str | None, str]:
    if suivi.atteint is None:
        return None, "information"
    return ("Atteint", "bien") if suivi.atteint else ("Non atteint", "attention")


def contreparties_de_la_page(
    affectees: Iterable[Affectation],
) -> tuple[ContrepartieDeLaPage, ...]:
    """Prepare what funders bring, the largest first."""
    return tuple(
        ContrepartieDeLaPage(a.financeur, RESSOURCES.get(a.type, a.type), a.annee, a.montant)
        for a in sorted(affectees, key=lambda a: -a.montant)
        if a.montant
    )


def avenants_de_la_page(convention: ConventionVue | None) -> tuple[AvenantDeLaPage, ...]:
    """Prepare the avenants, the last one first."""
    avenants = () if convention is None else convention.avenants
    # One that was given up leaves its number to the next.
    return tuple(_avenant(rang, a) for rang, a in reversed(list(enumerate(avenants, 1))))


def _avenant(rang: int, avenant: AvenantVu) -> AvenantDeLaPage:
    statut, niveau = _AVENANTS[avenant.statut]
    jours = (
        ("demandé", avenant.demande_le),
        ("programmé", avenant.programme_le),
        ("signé", avenant.signe_le),
    )
    return AvenantDeLaPage(
        ancre=f"avenant-{rang}",
        titre=f"Avenant n°\u00a0{avenant.numero}",
        statut=statut,
        niveau=niveau,
        motif=None if avenant.motif is None else phrase(avenant.motif),
        jours=tuple((mots, le) for mots, le in jours if le is not None),
        differences=tuple(
            (majuscule(d.champ), phrase(d.avant), phrase(d.apres)) for d in avenant.differences
        ),
    )
