"""From an écart up to its effect: the control computed again as if the line were retained whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import ClotureOfficePrononcee, CsfValide
from aggregates.convention.state import CONVENTION, Bilan, Convention
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE, Depense
from oi_service.errors import NotFound, french_euros
from oi_service.ids import convention_of
from projections.depenses import depense
from projections.histoire import CONTRAINTES, CORRECTIONS_FSE
from projections.instantane import instantane
from projections.journal import EvenementLu, lire_flux
from projections.livre import Choix, Lignes, sommes
from projections.mesures import DERIVES, libelle
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE
from rules.calcul import Apports, LignesMarche, Resultat
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES
from rules.versions import calcul_de


class DepenseNonControlee(NotFound):
    """La dépense {id} n’est dans aucun contrôle de service fait validé : aucun écart n’y a encore
    d’effet.
    """


@dataclass(frozen=True, slots=True)
class Variation:
    """A figure as the control left it, and with the line retained whole, in cents."""

    code: str
    libelle: str
    constate: int
    sans_ecart: int

    @property
    def effet(self) -> int:
        """What the écart costs, negative; or brings, where less cost leaves less to find."""
        return self.constate - self.sans_ecart


@dataclass(frozen=True, slots=True)
class Plafond:
    """A ceiling of the Fund, in cents; the fourth is only there with contributions in kind."""

    code: str
    libelle: str
    constate: int | None
    sans_ecart: int | None


@dataclass(frozen=True, slots=True)
class LigneEcartee:
    """The line, as its last validated control left it; amounts are cents of total cost."""

    depense_id: UUID
    operation_id: UUID
    poste: str
    poste_libelle: str
    nature: str
    piece_ref: str
    marche_ref: str | None
    declare: int
    ecarte: int
    motif_code: str | None
    commentaire: str | None
    position: int  #: the event that decided

    @property
    def retenu(self) -> int:
        """What the control keeps of it."""
        return self.declare - self.ecarte

    @property
    def motif_libelle(self) -> str | None:
        """Why a part was set aside."""
        return MOTIFS.get(self.motif_code) if self.motif_code else None


@dataclass(frozen=True, slots=True)
class LigneDeMaquetteTouchee:
    """The line of the maquette that the operation weighs on, and what the écart does to it."""

    plie_id: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    chiffres: tuple[Variation, ...]


@dataclass(frozen=True, slots=True)
class Recomptes:
    """The calculation of the operation, cumulated since the start, with and without the écart."""

    postes: tuple[Variation, ...]
    corrections: tuple[Variation, ...]
    cout: tuple[Variation, ...]
    plafonds: tuple[Plafond, ...]
    contrainte_constatee: str
    contrainte_sans_ecart: str
    fse: tuple[Variation, ...]
    maquette: LigneDeMaquetteTouchee


@dataclass(frozen=True, slots=True)
class EffetDepense:
    """What an écart does, from its line to the maquette.

    ``csf_id``, ``position``: the last validated control of the operation, which counts every bilan.
    ``recomptes`` is ``None`` where it cannot be computed again; ``phrase`` then says why.
    """

    ligne: LigneEcartee
    bilan_numero: int
    csf_id: UUID
    version_regles: str
    position: int
    recomptes: Recomptes | None
    phrase: str
    reserves: tuple[str, ...]


def effet(conn: Connection[TupleRow], perimetre: Perimetre, depense_id: UUID) -> EffetDepense:
    """Compute the operation again with this line retained whole, all else as the control decided.

    Same inputs, same version of the rules; nothing is written.
    Raises: DepenseAbsente, DepenseNonControlee, VersionInconnue.
    """
    with instantane(conn):
        operation_id = depense(conn, perimetre, depense_id).operation_id
        convention_id = convention_of(operation_id)
        flux = lire_flux(conn, perimetre, [convention_id, depense_id])
        controle = _controle(flux.get(convention_id, []), depense_id)
        ligne = _ligne(controle, flux[depense_id])
        entrees = controle.fait.entrees
        if entrees is None:
            return _effet(controle, ligne, None, (), _SANS_ENTREES)
        calcul = calcul_de(controle.fait.version_regles)
        constate = calcul(entrees.conditions, entrees.bilans)
        bilans = list(entrees.bilans)
        bilans[controle.rang] = _retenue_entiere(bilans[controle.rang], controle, ligne)
        sans_ecart = calcul(entrees.conditions, bilans)
        maquette = _maquette(conn, perimetre, controle, constate, sans_ecart)
    recomptes = _recomptes(controle, constate, sans_ecart, maquette)
    return _effet(
        controle,
        ligne,
        recomptes,
        tuple(_reserves(controle, ligne)),
        _phrase(ligne, recomptes),
    )


_SANS_ENTREES = (
    "Ce contrôle a été validé sous des règles (2026.1) dont le fait ne garde pas les entrées ligne "
    "à ligne : l’effet de cet écart ne peut pas être recalculé."
)


# --- The control ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Controle:
    """The last control of the operation, and the bilan of the line as it was last validated."""

    position: int
    fait: CsfValide
    rang: int
    bilan: Bilan
    bilan_position: int
    depense_id: UUID
    convention: Convention
    cloture: ClotureOfficePrononcee | None

    @property
    def rien_n_est_du(self) -> bool:
        """Tell whether a closure without bilan set aside all that controls had proven."""
        fait = self.cloture
        return fait is not None and (
            fait.cout_total_retenu_apres_centimes < fait.cout_total_retenu_avant_centimes
        )

    def libelle(self, code: str) -> str:
        """Say a poste; a unit cost or a lump sum has the name of the convention."""
        dits = {p.code: p.libelle for p in self.convention.plan.postes}
        return POSTES.get(code) or dits.get(code) or code


def _controle(flux: Sequence[EvenementLu], depense_id: UUID) -> _Controle:
    """Find the last validated control, and that of the bilan of the line.

    Raises: DepenseNonControlee.
    """
    valides = [
        (rang, lu, fait) for rang, lu in enumerate(flux) if isinstance(fait := lu.fait, CsfValide)
    ]
    convention = CONVENTION.replay(lu.fait for lu in flux)
    tenus = [] if convention is None else [b for b in convention.bilans.values() if b.apports]
    bilan = next((b for b in tenus if depense_id in b.depenses), None)
    if convention is None or bilan is None:
        raise DepenseNonControlee(id=depense_id)
    _, dernier, fait = valides[-1]
    rang_du_bilan, lu_du_bilan, _ = next(
        x for x in reversed(valides) if x[2].bilan_id == bilan.bilan_id
    )
    # A control opened again decides anew: what counts is what the last validation left.
    valide = CONVENTION.replay(lu.fait for lu in flux[: rang_du_bilan + 1])
    assert valide is not None
    return _Controle(
        position=dernier.position,
        fait=fait,
        rang=[numero for numero, _ in convention.apports()].index(bilan.numero),
        bilan=valide.bilans[bilan.bilan_id],
        bilan_position=lu_du_bilan.position,
        depense_id=depense_id,
        convention=convention,
        cloture=next((f for lu in flux if isinstance(f := lu.fait, ClotureOfficePrononcee)), None),
    )


def _ligne(controle: _Controle, lus: Sequence[EvenementLu]) -> LigneEcartee:
    """Return the line as the last validation of its bilan left it."""
    connus = [lu for lu in lus if lu.position <= controle.bilan_position]
    state = cast("Depense", DEPENSE.replay(lu.fait for lu in connus))
    position, decision = next(
        (lu.position, fait)
        for lu in reversed(connus)
        if isinstance(fait := lu.fait, DepenseControlee)
    )
    detail = state.detail
    return LigneEcartee(
        depense_id=controle.depense_id,
        operation_id=state.operation_id,
        poste=detail.poste,
        poste_libelle=controle.libelle(detail.poste),
        nature=detail.nature,
        piece_ref=detail.piece_ref,
        marche_ref=detail.marche_ref,
        declare=state.montant,
        ecarte=state.ecarte,
        motif_code=decision.motif_code,
        commentaire=decision.commentaire,
        position=position,
    )


def _retenue_entiere(apports: Apports, controle: _Controle, ligne: LigneEcartee) -> Apports:
    """Return what the bilan brings with this line retained whole."""
    replace = msgspec.structs.replace
    csf = controle.bilan.csf
    assert csf is not None
    tiree = controle.depense_id in csf.tirages.get(ligne.poste, ())
    return replace(
        apports,
        lignes=tuple(
            replace(x, ecarte_centimes=x.ecarte_centimes - ligne.ecarte)
            if x.code == ligne.poste
            else x
            for x in apports.lignes
        ),
        marches=tuple(_marches(apports.marches, ligne)),
        echantillons=tuple(
            x
            if x.poste != ligne.poste
            # A drawn line weighs on the rate; another one, on the base that the rate applies to.
            else replace(x, tirage_ecarte_centimes=x.tirage_ecarte_centimes - ligne.ecarte)
            if tiree
            else replace(x, base_centimes=x.base_centimes + ligne.ecarte)
            for x in apports.echantillons
        ),
    )


def _marches(marches: Iterable[LignesMarche], ligne: LigneEcartee) -> Iterable[LignesMarche]:
    for x in marches:
        touche = (x.marche, x.poste) == (ligne.marche_ref, ligne.poste)
        retenu = x.retenu_centimes + (ligne.ecarte if touche else 0)
        yield msgspec.structs.replace(x, retenu_centimes=retenu)


# --- Figures -------------------------------------------------------------------------------------


def _recomptes(
    controle: _Controle, constate: Resultat, sans: Resultat, maquette: LigneDeMaquetteTouchee
) -> Recomptes:
    return Recomptes(
        postes=tuple(_postes(controle, constate, sans)),
        corrections=tuple(_corrections(controle, constate, sans)),
        cout=(
            Variation(
                "cout_brut",
                "Coût total retenu, brut",
                constate.cout_brut_centimes,
                sans.cout_brut_centimes,
            ),
            Variation(
                "cout_net", "Coût total retenu", constate.cout_net_centimes, sans.cout_net_centimes
            ),
        ),
        plafonds=tuple(_plafonds(constate, sans)),
        contrainte_constatee=CONTRAINTES[constate.contrainte_active],
        contrainte_sans_ecart=CONTRAINTES[sans.contrainte_active],
        fse=tuple(_fse(constate, sans)),
        maquette=maquette,
    )


def _postes(controle: _Controle, constate: Resultat, sans: Resultat) -> Iterable[Variation]:
    """Yield every poste, flat rates after what they are computed on."""
    avant = {p.code: p.retenu_centimes for p in constate.postes}
    for poste in sans.postes:
        yield Variation(
            poste.code,
            controle.libelle(poste.code),
            avant.get(poste.code, 0),
            poste.retenu_centimes,
        )


def _corrections(controle: _Controle, constate: Resultat, sans: Resultat) -> Iterable[Variation]:
    """Yield what the whole loses beyond its lines: samples, contracts, caps, the Fund's share."""
    for avant, apres in zip(constate.extrapolations, sans.extrapolations, strict=True):
        yield Variation(
            f"extrapolation.{avant.poste}",
            f"Extrapolation, {controle.libelle(avant.poste)}",
            avant.correction_centimes,
            apres.correction_centimes,
        )
    for m_avant, m_apres in zip(constate.marches, sans.marches, strict=True):
        yield Variation(
            f"marche.{m_avant.marche}",
            f"Correction du marché {m_avant.marche}",
            m_avant.correction_centimes,
            m_apres.correction_centimes,
        )
    ecretes = {p.code: p.ecrete_centimes for p in constate.postes}
    for poste in sans.postes:
        if poste.ecrete_centimes or ecretes.get(poste.code, 0):
            yield Variation(
                f"ecrete.{poste.code}",
                f"Écrêtement, {controle.libelle(poste.code)}",
                ecretes.get(poste.code, 0),
                poste.ecrete_centimes,
            )
    for c_avant, c_apres in zip(constate.corrections_fse, sans.corrections_fse, strict=True):
        yield Variation(
            f"fse.{c_avant.nature}",
            f"FSE, {CORRECTIONS_FSE.get(c_avant.nature, c_avant.nature)}",
            c_avant.correction_centimes,
            c_apres.correction_centimes,
        )


def _plafonds(constate: Resultat, sans: Resultat) -> Iterable[Plafond]:
    yield Plafond("c1", "c1. Maximum de la convention", constate.c1_centimes, sans.c1_centimes)
    yield Plafond("c2", "c2. Taux de la convention", constate.c2_centimes, sans.c2_centimes)
    yield Plafond("c3", "c3. Besoin de financement", constate.c3_centimes, sans.c3_centimes)
    if (constate.c4_centimes, sans.c4_centimes) != (None, None):
        yield Plafond(
            "c4", "c4. Coût hors contributions en nature", constate.c4_centimes, sans.c4_centimes
        )


def _fse(constate: Resultat, sans: Resultat) -> Iterable[Variation]:
    for code, dit, avant, apres in (
        ("fse_brut", "FSE avant corrections", constate.fse_brut_centimes, sans.fse_brut_centimes),
        ("fse_du", "FSE dû", constate.fse_du_centimes, sans.fse_du_centimes),
        (
            "autofinancement",
            "Autofinancement constaté",
            constate.autofinancement_constate_centimes,
            sans.autofinancement_constate_centimes,
        ),
        (
            "surfinancement",
            "Surfinancement écarté",
            constate.surfinancement_ecarte_centimes,
            sans.surfinancement_ecarte_centimes,
        ),
    ):
        yield Variation(code, dit, avant, apres)


def _maquette(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    controle: _Controle,
    constate: Resultat,
    sans: Resultat,
) -> LigneDeMaquetteTouchee:
    """Return the line of the maquette as it stands, and as it would."""
    row = conn.execute(
        """
        SELECT o.sg_id, o.plie_id, o.annee, o.axe, o.objectif_specifique, o.dispositif,
            o.statut IN ('solde', 'cloture', 'archive')
        FROM projection.operation AS o WHERE o.id = %s
        """,
        (controle.convention.operation_id,),
    ).fetchone()
    assert row is not None
    sg, plie, annee, axe, objectif, dispositif, soldee = row
    choix = Choix(
        plie=plie, annee=annee, axe=axe, objectif_specifique=objectif, dispositif=dispositif
    )
    figures = sommes(conn, Lignes(choix, perimetre, sg), ACTUELLE)
    gains = {
        "fse_retenu_csf": sans.fse_du_centimes - constate.fse_du_centimes,
        "ct_retenu_csf": sans.cout_net_centimes - constate.cout_net_centimes,
        "depenses_ecartees": sans.ecarte_centimes - constate.ecarte_centimes,
    }
    if controle.rien_n_est_du:
        gains |= {"fse_retenu_csf": 0, "ct_retenu_csf": 0}
    if soldee:  # What it costs is then what it weighs.
        gains["fse_programme_ajuste"] = gains["fse_retenu_csf"]
        gains["ct_programme_ajuste"] = gains["ct_retenu_csf"]
    touches = {m: figures[m] + gain for m, gain in gains.items()}
    chiffres = [Variation(m, libelle(m), figures[m], touches[m]) for m in gains]
    for code in ("reste_a_consommer", "disponible_a_programmer"):
        avant, apres = (DERIVES[code].valeur(f) for f in (figures, figures | touches))
        assert isinstance(avant, int)
        assert isinstance(apres, int)
        chiffres.append(Variation(code, libelle(code), avant, apres))
    return LigneDeMaquetteTouchee(plie, annee, axe, objectif, dispositif, tuple(chiffres))


# --- Words ---------------------------------------------------------------------------------------


def _effet(
    controle: _Controle,
    ligne: LigneEcartee,
    recomptes: Recomptes | None,
    reserves: tuple[str, ...],
    phrase: str,
) -> EffetDepense:
    return EffetDepense(
        ligne=ligne,
        bilan_numero=controle.bilan.numero,
        csf_id=controle.fait.csf_id,
        version_regles=controle.fait.version_regles,
        position=controle.position,
        recomptes=recomptes,
        phrase=phrase,
        reserves=reserves,
    )


def _reserves(controle: _Controle, ligne: LigneEcartee) -> Iterable[str]:
    """Yield what keeps the line from being simply retained."""
    postes = {p.code: p.mode for p in controle.convention.plan.postes}
    if ligne.poste not in postes:
        yield (
            f"Le poste « {ligne.poste_libelle} » n’est pas dans le plan de la convention : la "
            "dépense ne peut être retenue qu’après un avenant qui l’ajoute."
        )
    elif postes[ligne.poste] != "reel":
        yield (
            f"Le poste « {ligne.poste_libelle} » est à coût simplifié : la convention le paie sans "
            "pièce, et retenir la dépense n’y change rien."
        )
    if ligne.poste in {"nature", "tiers"}:
        yield (
            "Une contribution en nature ou d’un tiers se retient avec une ressource du même "
            "montant : elle est ici laissée telle que le contrôle l’a retenue."
        )
    if controle.rien_n_est_du:
        yield (
            "Le dossier a été clos d’office et plus rien n’est dû : la maquette ne change pas, "
            "quelle que soit cette dépense."
        )


def _phrase(ligne: LigneEcartee, recomptes: Recomptes) -> str:
    """Say the effect in one or two sentences."""
    if not ligne.ecarte:
        return f"La pièce {ligne.piece_ref} est retenue en entier : aucun écart n’a d’effet."
    motif = f" ({ligne.motif_libelle})" if ligne.motif_libelle else ""
    tete = (
        f"L’écart de {french_euros(ligne.ecarte)} sur la pièce {ligne.piece_ref}{motif}, poste "
        f"« {ligne.poste_libelle} »"
    )
    postes = [v for v in recomptes.postes if v.effet]
    _, cout = recomptes.cout
    if not postes:
        return f"{tete}, ne change ni le coût total retenu ni le FSE dû."
    parts = " et ".join(f"« {v.libelle} » de {french_euros(-v.effet)}" for v in postes)
    fse = next(v for v in recomptes.fse if v.code == "fse_du")
    return (
        f"{tete}, réduit {parts}, donc le coût total retenu de {french_euros(-cout.effet)}. "
        f"{_dire_le_fse(fse, recomptes)}"
    )


def _dire_le_fse(fse: Variation, recomptes: Recomptes) -> str:
    if fse.effet:
        return (
            f"Il réduit le FSE dû de {french_euros(-fse.effet)} : {french_euros(fse.constate)} au "
            f"lieu de {french_euros(fse.sans_ecart)} (limité par : "
            f"{recomptes.contrainte_constatee})."
        )
    return (
        f"Il ne change pas le FSE dû, {french_euros(fse.constate)} (limité par : "
        f"{recomptes.contrainte_constatee})."
    )
