"""From a payment down to its pieces: what it is, its arithmetic, the control, the dépenses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import (
    ClotureOfficePrononcee,
    CsfValide,
    PaiementOrdonnance,
    PaiementPrepare,
)
from aggregates.convention.state import CONVENTION, Convention, Paiement
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE
from aggregates.operation.state import OPERATION
from oi_service.codec import Piece
from oi_service.errors import NotFound, french_euros
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.dossiers import exiger_operation
from projections.explication import Explication, LigneCalcul, Operande, expliquer
from projections.explication.mots import article, pourcent
from projections.instantane import instantane
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES
from rules.paiement import Versements, a_regler, plafond_avance, plafond_avant_solde


class PaiementSansTrace(NotFound):
    """Aucun paiement ne porte l’identifiant {id} dans cette opération."""


@dataclass(frozen=True, slots=True)
class LigneProuvee:
    """A dépense behind a payment, as the control of its bilan left it; amounts are cents.

    ``pieces`` are the documents joined to its declaration and to its control, by their digest.
    """

    depense_id: UUID
    bilan_numero: int
    poste: str
    nature: str
    piece_ref: str
    date_piece: date
    date_acquittement: date | None
    declare: int
    ecarte: int
    motif_code: str | None
    commentaire: str | None
    declaree_position: int
    controlee_position: int
    pieces: tuple[Piece, ...]
    pieces_vues: tuple[str, ...]

    @property
    def poste_libelle(self) -> str:
        """The poste as people say it."""
        return POSTES.get(self.poste, self.poste)

    @property
    def retenu(self) -> int:
        """What the control keeps of it."""
        return self.declare - self.ecarte

    @property
    def motif_libelle(self) -> str | None:
        """Why a part was set aside."""
        return MOTIFS.get(self.motif_code) if self.motif_code else None


@dataclass(frozen=True, slots=True)
class PosteProuve:
    """The dépenses of a poste behind a payment, all bilans together, in cents."""

    code: str
    nombre: int
    declare: int
    ecarte: int

    @property
    def libelle(self) -> str:
        """The poste as people say it."""
        return POSTES.get(self.code, self.code)

    @property
    def retenu(self) -> int:
        """What the control keeps of its lines, before corrections of the whole."""
        return self.declare - self.ecarte


@dataclass(frozen=True, slots=True)
class ProvenancePaiement:
    """A payment and everything under it.

    ``calcul`` is the arithmetic of the day on which it was ordered. ``explication`` is that of the
    last control validated before; an avance has none, and no dépense. ``postes`` and their lines
    are all those of the bilans that this control counts, since the start of the operation.
    """

    operation_id: UUID
    paiement_id: UUID
    libelle: str
    type: str
    statut: str
    montant: int
    compense: int
    verse: int
    evenements: tuple[EvenementLu, ...]
    calcul: tuple[LigneCalcul, ...]
    csf_id: UUID | None
    explication: Explication | None
    postes: tuple[PosteProuve, ...]
    depenses: Page[LigneProuvee]


def provenance_du_paiement(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    paiement_id: UUID,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> ProvenancePaiement:
    """Follow a payment to its lines; the dépenses by pages, their postes whole.

    Raises: OperationAbsente, PaiementSansTrace, CurseurInvalide.
    """
    with instantane(conn):
        exiger_operation(conn, perimetre, operation_id)
        ordre = _lire(conn, perimetre, operation_id, paiement_id)
        explication = (
            None
            if ordre.controle is None
            else expliquer(conn, perimetre, operation_id, ordre.controle.csf_id)
        )
        lignes = _lignes(conn, perimetre, ordre)
    paiement = ordre.paiement
    return ProvenancePaiement(
        operation_id=operation_id,
        paiement_id=paiement_id,
        libelle=_libelle(ordre),
        type=paiement.type,
        statut=paiement.statut,
        montant=paiement.montant,
        compense=paiement.compense,
        verse=paiement.paye,
        evenements=tuple(
            lu for lu in ordre.flux if getattr(lu.fait, "paiement_id", None) == paiement_id
        ),
        calcul=tuple(_avance(ordre) if paiement.type == "avance" else _acompte(ordre)),
        csf_id=ordre.fait.csf_id,
        explication=explication,
        postes=_postes(lignes),
        depenses=_page(lignes, limite, apres),
    )


@dataclass(frozen=True, slots=True)
class _Ordre:
    """The order of a payment, and the dossier as it stood just before, without this payment.

    The preparation stands for the order until there is one.
    """

    lu: EvenementLu
    fait: PaiementOrdonnance | PaiementPrepare
    rang: int  #: among the payments of its type
    flux: Sequence[EvenementLu]
    paiement: Paiement  #: as it stands today
    convention: Convention
    statut_operation: str

    @property
    def avant(self) -> Sequence[EvenementLu]:
        """The facts of the convention that came before the order."""
        return [lu for lu in self.flux if lu.position < self.lu.position]

    @property
    def controle(self) -> CsfValide | None:
        """The last control validated before; what is due since the start comes from it."""
        if self.fait.type == "avance":
            return None
        valides = [fait for lu in self.avant if isinstance(fait := lu.fait, CsfValide)]
        return valides[-1]

    @property
    def du_position(self) -> int:
        """The event that fixed what is due: a control, or a closure without bilan."""
        fixent = (CsfValide, ClotureOfficePrononcee)
        return max(lu.position for lu in self.avant if isinstance(lu.fait, fixent))

    @property
    def final(self) -> bool:
        """Tell whether the payment settles all that is due."""
        bilan = self.convention.bilan_du_csf(self.fait.csf_id) if self.fait.csf_id else None
        return (bilan is not None and bilan.type == "final") or self.statut_operation in _REGLEES

    def positions(self, *noms: str) -> list[EvenementLu]:
        """Return the facts of these names that came before."""
        return [lu for lu in self.avant if lu.name in noms]


#: States of an operation in which nothing waits for a solde any more.
_REGLEES = frozenset(("abandonne", "resilie", "solde", "cloture", "archive"))


def _lire(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, paiement_id: UUID
) -> _Ordre:
    """Read the last preparation or order and what came before. Raises: PaiementSansTrace."""
    convention_id = convention_of(operation_id)
    lus = lire_flux(conn, perimetre, [operation_id, convention_id])
    flux = lus.get(convention_id, [])
    ordres = [
        (lu, fait)
        for lu in flux
        if isinstance(fait := lu.fait, PaiementOrdonnance | PaiementPrepare)
        and fait.paiement_id == paiement_id
    ]
    if not ordres:
        raise PaiementSansTrace(id=paiement_id)
    lu, fait = ordres[-1]
    avant = (x.fait for x in flux if x.position < lu.position)
    convention = CONVENTION.replay(
        x for x in avant if getattr(x, "paiement_id", None) != paiement_id
    )
    aujourd_hui = CONVENTION.replay(x.fait for x in flux)
    operation = OPERATION.replay(x.fait for x in lus[operation_id] if x.position < lu.position)
    assert convention is not None
    assert aujourd_hui is not None
    assert operation is not None
    du_type = [i for i, p in aujourd_hui.paiements.items() if p.type == fait.type]
    return _Ordre(
        lu,
        fait,
        du_type.index(paiement_id) + 1,
        flux,
        aujourd_hui.paiements[paiement_id],
        convention,
        operation.statut,
    )


def _libelle(ordre: _Ordre) -> str:
    """Say which payment it is: its kind, its rank among them, the bilan that it follows."""
    nom = f"{ordre.fait.type.capitalize()} n° {ordre.rang}"
    bilan = ordre.convention.bilan_du_csf(ordre.fait.csf_id) if ordre.fait.csf_id else None
    suite = f", après le contrôle du bilan n° {bilan.numero}" if bilan else ""
    remplace = ", en remplacement d’un virement rejeté" if ordre.fait.remplace else ""
    return f"{nom}{suite}{remplace}"


# --- Arithmetic ----------------------------------------------------------------------------------


def _avance(ordre: _Ordre) -> Iterable[LigneCalcul]:
    """Write how much may be advanced, and what is."""
    convention = ordre.convention
    parametres = convention.parametres
    plafond = plafond_avance(
        convention.fse_max,
        parametres.avance_pct,
        parametres.avance_plafond_centimes,
        convention.arrondi,
    )
    calcul = f"{pourcent(parametres.avance_pct)} × {french_euros(convention.fse_max)}"
    if parametres.avance_plafond_centimes is not None:
        calcul += f", au plus {french_euros(parametres.avance_plafond_centimes)}"
    signees = ordre.positions("convention.signee.v1", "convention.avenant_signe.v1")
    yield LigneCalcul(
        code="plafond_avance",
        libelle="Avance la plus haute que la convention admet",
        calcul=calcul,
        centimes=plafond,
        article="Convention : part du FSE maximal, figée à la signature",
        operandes=(
            Operande("FSE maximal", french_euros(convention.fse_max), signees[-1].position),
            Operande("Part avancée", pourcent(parametres.avance_pct), signees[0].position),
        ),
    )
    yield _montant(ordre)


def _acompte(ordre: _Ordre) -> Iterable[LigneCalcul]:
    """Write what is due since the start, less what left before: what is to pay."""
    convention = ordre.convention
    parametres = convention.parametres
    du, paye, engage = convention.fse_du, convention.paye, convention.engage
    plafond = plafond_avant_solde(
        convention.fse_max, parametres.plafond_avant_solde_pct, convention.arrondi
    )
    reste = a_regler(
        du,
        Versements(net_centimes=engage, avances_centimes=_avances(convention)),
        final=ordre.final,
        plafond_avant_solde=plafond,
        imputation=parametres.imputation_avance,
    ).a_payer_centimes
    yield LigneCalcul(
        code="fse_du_cumule",
        libelle="FSE dû depuis le début de l’opération",
        centimes=du,
        operandes=(Operande("Fixé par", _phrase_de(ordre, ordre.du_position), ordre.du_position),),
    )
    termes = [french_euros(du)]
    if not ordre.final and plafond < du:
        pct = parametres.plafond_avant_solde_pct
        yield LigneCalcul(
            code="plafond_avant_solde",
            libelle="Payable avant le solde",
            calcul=None if pct is None else f"{pourcent(pct)} × {french_euros(convention.fse_max)}",
            centimes=plafond,
            article="Convention : plafond des versements avant le solde",
        )
        termes = [french_euros(plafond)]
    yield LigneCalcul(
        code="paye_avant",
        libelle="Déjà payé, net des retours",
        centimes=paye,
        operandes=tuple(
            Operande("Versement ou retour", lu.phrase, lu.position)
            for lu in ordre.positions(*_VERSEMENTS)
        ),
    )
    termes.append(french_euros(paye))
    if engage != paye:
        yield LigneCalcul(
            code="ordonnance_avant",
            libelle="Déjà ordonnancé ou préparé, pas encore viré",
            centimes=engage - paye,
            operandes=tuple(_en_attente(ordre)),
        )
        termes.append(french_euros(engage - paye))
    calcul = " − ".join(termes)
    if not ordre.final and parametres.imputation_avance == "sur_solde" and _avances(convention):
        yield LigneCalcul(
            code="avance_au_solde",
            libelle="Avance, que la convention n’impute que sur le solde",
            centimes=_avances(convention),
        )
        calcul = (
            f"{calcul} + {french_euros(_avances(convention))}, au plus "
            f"{french_euros(plafond)} − {french_euros(engage)}"
        )
    yield LigneCalcul(
        code="reste_a_payer",
        libelle="Reste à payer",
        calcul=calcul,
        centimes=reste,
        article=article("paiement", convention.cadre.reglement),
    )
    yield _montant(ordre)
    yield LigneCalcul(
        code="reste_apres",
        libelle="Reste après ce paiement",
        calcul=f"{french_euros(reste)} − {french_euros(ordre.fait.montant_centimes)}",
        centimes=reste - ordre.fait.montant_centimes,
    )


def _montant(ordre: _Ordre) -> LigneCalcul:
    ordonnance = isinstance(ordre.fait, PaiementOrdonnance)
    return LigneCalcul(
        code="montant",
        libelle="Montant ordonnancé" if ordonnance else "Montant préparé",
        centimes=ordre.fait.montant_centimes,
        operandes=(
            Operande(
                "Ordonnancement" if ordonnance else "Préparation",
                french_euros(ordre.fait.montant_centimes),
                ordre.lu.position,
            ),
        ),
    )


def _avances(convention: Convention) -> int:
    """What left or is about to leave without a control."""
    return sum(p.engage for p in convention.paiements.values() if p.type == "avance")


def _en_attente(ordre: _Ordre) -> Iterable[Operande]:
    statuts = {i: p.statut for i, p in ordre.convention.paiements.items()}
    for lu in ordre.avant:
        match lu.fait:
            case PaiementOrdonnance() as fait if statuts[fait.paiement_id] == "ordonnance":
                yield Operande("Ordonnancement", french_euros(fait.montant_centimes), lu.position)
            case PaiementPrepare() as fait if statuts.get(fait.paiement_id) == "prepare":
                yield Operande("Préparation", french_euros(fait.montant_centimes), lu.position)
            case _:
                pass


def _phrase_de(ordre: _Ordre, position: int) -> str:
    return next(lu.phrase for lu in ordre.avant if lu.position == position)


_VERSEMENTS = (
    "convention.paiement_effectue.v1",
    "convention.paiement_rejete.v1",
    "convention.reversement_encaisse.v1",
    "convention.compensation_operee.v1",
    "convention.compensation_imputee.v1",
)


# --- Dépenses ------------------------------------------------------------------------------------


def _lignes(conn: Connection[TupleRow], perimetre: Perimetre, ordre: _Ordre) -> list[LigneProuvee]:
    """Return the dépenses of every bilan that the control counts, as its own control left them."""
    if ordre.controle is None:
        return []
    # A control opened again later decided otherwise: what was paid rests on what was valid then.
    valides = {
        fait.bilan_id: lu.position for lu in ordre.avant if isinstance(fait := lu.fait, CsfValide)
    }
    bilans = [b for b in ordre.convention.bilans.values() if b.bilan_id in valides]
    flux = lire_flux(conn, perimetre, [d for b in bilans for d in b.depenses])
    lignes = [
        _ligne(d, bilan.numero, [lu for lu in flux[d] if lu.position <= valides[bilan.bilan_id]])
        for bilan in bilans
        for d in bilan.depenses
    ]
    return sorted(lignes, key=_cle)


def _ligne(depense_id: UUID, numero: int, lus: Sequence[EvenementLu]) -> LigneProuvee:
    depense = DEPENSE.replay(lu.fait for lu in lus)
    assert depense is not None
    controle, decision = next(
        (lu, fait) for lu in reversed(lus) if isinstance(fait := lu.fait, DepenseControlee)
    )
    detail = depense.detail
    return LigneProuvee(
        depense_id=depense_id,
        bilan_numero=numero,
        poste=detail.poste,
        nature=detail.nature,
        piece_ref=detail.piece_ref,
        date_piece=detail.date_piece,
        date_acquittement=detail.date_acquittement,
        declare=depense.montant,
        ecarte=depense.ecarte,
        motif_code=decision.motif_code,
        commentaire=decision.commentaire,
        declaree_position=lus[0].position,
        controlee_position=controle.position,
        pieces=tuple(dict.fromkeys(piece for lu in lus for piece in lu.fait.pieces)),
        pieces_vues=decision.pieces_vues,
    )


def _cle(ligne: LigneProuvee) -> tuple[int, int]:
    """The place of a line: its bilan, then the order in which lines were declared."""
    return ligne.bilan_numero, ligne.declaree_position


def _postes(lignes: Sequence[LigneProuvee]) -> tuple[PosteProuve, ...]:
    def poste(code: str) -> PosteProuve:
        siennes = [x for x in lignes if x.poste == code]
        return PosteProuve(
            code=code,
            nombre=len(siennes),
            declare=sum(x.declare for x in siennes),
            ecarte=sum(x.ecarte for x in siennes),
        )

    return tuple(poste(code) for code in dict.fromkeys(x.poste for x in lignes))


def _page(lignes: Sequence[LigneProuvee], limite: int, apres: str | None) -> Page[LigneProuvee]:
    numero, position = lire(apres, "depenses du paiement", int, int)
    suite = [x for x in lignes if numero is None or _cle(x) > (numero, position)]
    return paginer(suite[: limite + 1], limite, "depenses du paiement", _cle)
