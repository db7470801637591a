"""The page of one control: its lines, the one being looked at, and what is left to do."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from aggregates.convention import validation
from aggregates.convention.echantillons import validees_avec_la_strate
from aggregates.convention.state import Csf
from aggregates.depense.controle import MOTIFS_DE_REGULARISATION
from aggregates.depense.state import Depense
from api.filters import entier, euros, jour
from api.pages.csf_calcul import Totaux
from api.pages.depense import CADRES, IMAGES, Apercu
from api.pages.ecriture import phrase, poste
from api.pages.liens_actes import lien_acte
from oi_service.codec import Piece
from oi_service.errors import Refusal
from projections.constats import ConstatsDepense
from projections.csf import ControleLu, DepenseLue
from projections.histoire import TRAITEMENTS_RECETTES, TYPES_DE_BILAN
from projections.journal import EvenementLu
from rules.constat import Constat, Statut
from rules.eligibilite import MOTIFS, PREUVES_ACQUITTEMENT, TESTS
from rules.grille import POINTS
from rules.nomenclature import RESSOURCES

Onglet = Literal[
    "depenses", "ressources", "echantillon", "grille", "contradictoire", "calcul", "conclusion"
]
ONGLETS: Mapping[Onglet, str] = {
    "depenses": "Dépenses",
    "ressources": "Ressources et réalisations",
    "echantillon": "Échantillon et corrections",
    "grille": "Grille",
    "contradictoire": "Contradictoire",
    "calcul": "Calcul",
    "conclusion": "Conclusion",
}
#: Which lines of the bilan are shown.
Choix = Literal["toutes", "a_decider", "ecartees", "anomalies", "a_revoir"]
CHOIX: Mapping[Choix, str] = {
    "toutes": "Toutes",
    "a_decider": "À décider",
    "anomalies": "Avec anomalie",
    "ecartees": "Écartées",
    "a_revoir": "Écarts et différences",
}
EtatDeLigne = Literal["a_decider", "retenue", "partielle", "ecartee", "hors_tirage"]
ETATS: Mapping[EtatDeLigne, tuple[str, str]] = {
    "a_decider": ("À décider", "information"),
    "retenue": ("Retenue", "bien"),
    "partielle": ("Écartée en partie", "attention"),
    "ecartee": ("Écartée", "grave"),
    "hors_tirage": ("Hors tirage", "information"),
}
REPONSES = (
    ("conforme", "Conforme"),
    ("non_conforme", "Non conforme"),
    ("sans_objet", "Sans objet"),
)


# --- Lines ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneVue:
    """A dépense in the list on the left."""

    id: UUID
    lien: str
    piece: str
    nature: str
    le: date
    poste: str
    montant: int
    etat: EtatDeLigne
    ecarte: int
    anomalies: int
    a_apprecier: int

    @property
    def etat_libelle(self) -> str:
        """The state as people say it."""
        return ETATS[self.etat][0]

    @property
    def niveau(self) -> str:
        """How the state stands out."""
        return ETATS[self.etat][1]


@dataclass(frozen=True, slots=True)
class ConstatVu:
    """A finding: what it says, of which text, and what to do about it."""

    intitule: str
    statut: str
    niveau: str
    message: str
    article: str
    motif: str
    motif_code: str
    valeurs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PieceVue:
    """A document of a dépense: seen here, or kept elsewhere."""

    sha256: str
    libelle: str
    deposee: bool
    apercu: Apercu | None


@dataclass(frozen=True, slots=True)
class DecisionVue:
    """The form of a decision, with what was decided or typed before."""

    choix: Literal["retenir", "ecarter", ""]
    montant: str
    motif: str
    commentaire: str
    pieces_vues: tuple[str, ...]
    motifs: tuple[tuple[str, str], ...]
    conseilles: tuple[tuple[str, str], ...]
    pieces: tuple[tuple[str, str], ...]
    version: int


@dataclass(frozen=True, slots=True)
class DetailVu:
    """The dépense on the right."""

    ligne: LigneVue
    rang: int
    nombre: int
    infos: tuple[tuple[str, str], ...]
    pieces: tuple[PieceVue, ...]
    examinee: bool
    anomalies: tuple[ConstatVu, ...]
    a_apprecier: tuple[ConstatVu, ...]  #: what only a person can judge
    conformes: tuple[ConstatVu, ...]
    decidee: str | None
    commentaire: str | None
    decision: DecisionVue
    precedente: str | None
    suivante: str | None
    lien_dossier: str


def etat_de_ligne(csf: Csf, lue: DepenseLue) -> EtatDeLigne:
    """Say where a line stands."""
    etat = lue.etat
    if etat.statut != "controlee":
        tirage = csf.tirages.get(etat.detail.poste)
        tiree = tirage is None or lue.id in tirage or etat.montant <= 0
        return "a_decider" if tiree else "hors_tirage"
    if not etat.ecarte:
        return "retenue"
    return "ecartee" if etat.ecarte >= etat.reste else "partielle"


def lignes(
    lu: ControleLu, constats: Mapping[UUID, ConstatsDepense], lien: "Adresse"
) -> tuple[LigneVue, ...]:
    """Return every line of the bilan, in its order."""
    return tuple(ligne(lu, lue, constats.get(lue.id), lien) for lue in lu.depenses.values())


def ligne(
    lu: ControleLu, lue: DepenseLue, constats: ConstatsDepense | None, lien: "Adresse"
) -> LigneVue:
    """Return one line."""
    detail = lue.etat.detail
    return LigneVue(
        id=lue.id,
        lien=lien.de(ligne=lue.id),
        piece=detail.piece_ref,
        nature=detail.nature,
        le=detail.date_piece,
        poste=_poste(lu, detail.poste),
        montant=lue.etat.montant,
        etat=etat_de_ligne(lu.csf, lue),
        ecarte=lue.etat.ecarte,
        anomalies=0 if constats is None else constats.nombre("anomalie"),
        a_apprecier=0 if constats is None else constats.nombre("a_apprecier"),
    )


def _poste(lu: ControleLu, code: str) -> str:
    libelles = {p.code: p.libelle for p in lu.convention.plan.postes}
    return libelles.get(code) or poste(code)


def filtrer(toutes: Sequence[LigneVue], choix: Choix) -> tuple[LigneVue, ...]:
    """Keep the lines asked for; a validator sees what was set aside, then what was kept anyway."""
    match choix:
        case "toutes":
            return tuple(toutes)
        case "a_decider":
            return tuple(x for x in toutes if x.etat == "a_decider")
        case "ecartees":
            return tuple(x for x in toutes if x.ecarte)
        case "anomalies":
            return tuple(x for x in toutes if x.anomalies)
        case "a_revoir":
            revues = (x for x in toutes if x.ecarte or (x.anomalies and x.etat == "retenue"))
            return tuple(sorted(revues, key=lambda x: (not x.ecarte, -x.montant)))


def sans_constat(toutes: Iterable[LigneVue]) -> tuple[LigneVue, ...]:
    """Return the lines without a decision that no test finds defective."""
    return tuple(x for x in toutes if x.etat == "a_decider" and not x.anomalies)


@dataclass(frozen=True, slots=True)
class Adresse:
    """The address of the page of a control, changed.

    ``defaut``: the lines shown when unsaid. ``dates``: those of another situation than now.
    """

    chemin: str
    onglet: Onglet = "depenses"
    voir: Choix = "toutes"
    defaut: Choix = "toutes"
    dates: tuple[tuple[str, str], ...] = ()

    def de(self, *, ligne: UUID | None = None, **autres: str) -> str:
        """Return the address; what is the default is left out."""
        dits = {
            "onglet": "" if self.onglet == "depenses" else self.onglet,
            "voir": "" if self.voir == self.defaut else self.voir,
            "ligne": str(ligne or ""),
            **dict(self.dates),
            **autres,
        }
        requete = urlencode({nom: valeur for nom, valeur in dits.items() if valeur})
        return f"{self.chemin}?{requete}" if requete else self.chemin


def liens_des_totaux(adresse: Adresse) -> dict[str, str]:
    """Lead from each total to the lines, or to the calculation, that it comes from."""
    depenses = replace(adresse, onglet="depenses")
    return {
        "declare": replace(depenses, voir="toutes").de(),
        "a_decider": replace(depenses, voir="a_decider").de(),
        "ecarte": replace(depenses, voir="ecartees").de(),
        "fse": replace(adresse, onglet="calcul", voir=adresse.defaut).de(),
    }


def detail(
    lu: ControleLu,
    lue: DepenseLue,
    constats: ConstatsDepense | None,
    voisines: Sequence[UUID],
    adresse: Adresse,
    deposee: Callable[[str], bool],
    saisie: Mapping[str, Any] | None = None,
) -> DetailVu:
    """Prepare the right pane.

    Tests are made on the present only: ``constats`` is absent from another situation. ``deposee``
    tells whether the store holds a document; ``saisie`` is what was typed and refused.
    """
    rang = voisines.index(lue.id) if lue.id in voisines else 0
    decision = lue.controlee
    return DetailVu(
        ligne=ligne(lu, lue, constats, adresse),
        rang=rang + 1,
        nombre=len(voisines),
        infos=tuple(_infos(lu, lue)),
        pieces=tuple(_piece(p, deposee) for p in lue.pieces),
        examinee=constats is not None,
        anomalies=_constats(constats, "anomalie"),
        a_apprecier=_constats(constats, "a_apprecier"),
        conformes=_constats(constats, "conforme"),
        decidee=_decidee(lue),
        commentaire=decision.commentaire if decision else None,
        decision=_decision(lue, constats, saisie),
        precedente=adresse.de(ligne=voisines[rang - 1]) if rang > 0 else None,
        suivante=adresse.de(ligne=voisines[rang + 1]) if rang + 1 < len(voisines) else None,
        lien_dossier=f"/dossiers/{lu.operation.numero_mdfse}",
    )


def _piece(piece: Piece, deposee: Callable[[str], bool]) -> PieceVue:
    extension = PurePath(piece.libelle).suffix.lower()
    ici = deposee(piece.sha256)
    apercu: Apercu | None = "image" if extension in IMAGES else None
    if extension in CADRES or not extension:
        # A document without the name of a file is tried: its bytes decide when it is asked for.
        apercu = "cadre"
    return PieceVue(piece.sha256, phrase(piece.libelle), ici, apercu if ici else None)


_STATUTS: Mapping[Statut, tuple[str, str]] = {
    "anomalie": ("Anomalie", "attention"),
    "a_apprecier": ("À apprécier", "information"),
    "conforme": ("Conforme", "bien"),
}


def _constats(examinee: ConstatsDepense | None, statut: Statut) -> tuple[ConstatVu, ...]:
    if examinee is None:
        return ()
    return tuple(_constat(c) for c in examinee.constats if c.statut == statut)


def _constat(constat: Constat) -> ConstatVu:
    statut, niveau = _STATUTS[constat.statut]
    return ConstatVu(
        intitule=TESTS[constat.test],
        statut=statut,
        niveau=niveau,
        message=phrase(constat.message),
        article=constat.article,
        motif=MOTIFS[constat.motif_code],
        motif_code=constat.motif_code,
        valeurs=tuple((v.nom, v.valeur) for v in constat.valeurs),
    )


def _infos(lu: ControleLu, lue: DepenseLue) -> Iterable[tuple[str, str]]:
    """Yield what the beneficiary declares, as words."""
    declare = lue.etat.detail
    yield "Nature", declare.nature
    yield "Poste", _poste(lu, declare.poste)
    yield "Fournisseur ou salarié", declare.tiers_ref
    yield "Date de la pièce", jour(declare.date_piece)
    yield "Réalisée le", jour(declare.date_realisation)
    if declare.date_acquittement is None:
        yield "Acquittée le", "non acquittée"
    else:
        preuve = PREUVES_ACQUITTEMENT.get(declare.preuve_acquittement or "", "sans preuve")
        yield "Acquittée le", f"{jour(declare.date_acquittement)}, {preuve[:1].lower()}{preuve[1:]}"
    if declare.montant_ttc_centimes is not None:
        yield "Montant TTC de la pièce", euros(declare.montant_ttc_centimes)
    if declare.tva_recuperable_centimes:
        yield "dont TVA récupérable", euros(declare.tva_recuperable_centimes)
    if declare.marche_ref:
        yield "Marché", declare.marche_ref
    if declare.mise_en_concurrence_ref:
        yield "Mise en concurrence", declare.mise_en_concurrence_ref
    if lue.etat.regularise:
        yield "Déjà repris par régularisation", euros(lue.etat.regularise)


def _decidee(lue: DepenseLue) -> str | None:
    decision, fait = lue.decision, lue.controlee
    if decision is None or fait is None:
        return None
    quand = f"le {jour(decision.date_effet)}"
    par = f" par {fait.controleur}" if fait.controleur else ""
    if not fait.montant_ecarte_centimes:
        return f"Retenue en entier {quand}{par}"
    motif = MOTIFS.get(fait.motif_code or "", "sans motif")
    return f"{euros(fait.montant_ecarte_centimes)} écartés {quand}{par} : {motif}"


def _decision(
    lue: DepenseLue, constats: ConstatsDepense | None, saisie: Mapping[str, Any] | None
) -> DecisionVue:
    """Prepare the form: what was typed, else what was decided, else nothing chosen."""
    fait = lue.controlee
    vus = () if constats is None else constats.constats
    anomalies = dict.fromkeys(c.motif_code for c in vus if c.statut == "anomalie")
    base = DecisionVue(
        choix="",
        montant=_montant(lue.etat.reste),
        motif=next(iter(anomalies), ""),
        commentaire="",
        pieces_vues=(),
        motifs=tuple(MOTIFS.items()),
        conseilles=tuple((code, MOTIFS[code]) for code in anomalies),
        pieces=tuple((p.sha256, p.libelle) for p in lue.pieces),
        version=lue.version,
    )
    if lue.etat.detail.regularise is not None:
        base = replace(
            base,
            motifs=tuple((code, MOTIFS[code]) for code in sorted(MOTIFS_DE_REGULARISATION)),
            conseilles=(),
            motif="",
        )
    if saisie is not None:
        return replace(base, **saisie)
    if fait is None or lue.etat.statut != "controlee":
        return base
    return replace(
        base,
        choix="ecarter" if fait.montant_ecarte_centimes else "retenir",
        montant=_montant(fait.montant_ecarte_centimes or lue.etat.reste),
        motif=fait.motif_code or base.motif,
        commentaire=fait.commentaire or "",
        pieces_vues=fait.pieces_vues,
    )


def _montant(centimes: int) -> str:
    """Write an amount as it is typed: « 1 234,56 »."""
    return euros(centimes).removesuffix("\u00a0€").replace("−", "-")


# --- What is left to do --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tache:
    """Something that the control waits for before it is done."""

    libelle: str
    faite: bool
    lien: str
    precision: str | None = None
    bloque: bool = True  #: without it, nothing can be validated


def taches(lu: ControleLu, totaux: Totaux, adresse: Adresse) -> tuple[Tache, ...]:
    """List what the control asks, done or not."""
    bilan, csf = lu.bilan, lu.csf
    hors_tirage = len(validees_avec_la_strate(csf, lu.etats))
    reste = totaux.reste - hors_tirage
    listees = [
        Tache(
            "Décider de chaque dépense",
            reste == 0,
            replace(adresse, onglet="depenses", voir="a_decider" if reste else "toutes").de(),
            f"{entier(totaux.decidees)} décidées sur {entier(totaux.nombre)}"
            + (f", {entier(hors_tirage)} validées avec leur strate" if hors_tirage else ""),
        )
    ]
    ressources = replace(adresse, onglet="ressources", voir="toutes").de()
    if bilan.ressources:
        listees.append(Tache("Contrôler les ressources", csf.ressources is not None, ressources))
    if bilan.unites or bilan.livrables:
        listees.append(
            Tache("Contrôler les unités et les livrables", csf.realisations_vues, ressources)
        )
    if bilan.recettes_nettes:
        listees.append(Tache("Décider des recettes nettes", csf.recettes is not None, ressources))
    repondus = len(csf.grille)
    listees.append(
        Tache(
            "Remplir la grille de contrôle",
            repondus == len(POINTS),
            replace(adresse, onglet="grille", voir="toutes").de(),
            f"{repondus} points sur {len(POINTS)}",
            bloque=False,
        )
    )
    listees.append(_contradictoire(lu, totaux, adresse))
    return tuple(listees)


_ENTENDRE = "Entendre le bénéficiaire"


def _contradictoire(lu: ControleLu, totaux: Totaux, adresse: Adresse) -> Tache:
    lien = replace(adresse, onglet="contradictoire", voir="toutes").de()
    csf = lu.csf
    if csf.statut == "finales":
        return Tache(_ENTENDRE, faite=True, lien=lien, precision="conclusions finales notifiées")
    if not _a_entendre(lu, totaux):
        return Tache(_ENTENDRE, faite=True, lien=lien, precision="rien n’est écarté : sans objet")
    precision = {
        "conclusions": "conclusions intermédiaires notifiées, réponse attendue"
        f" jusqu’au {jour(csf.date_limite_reponse)}"
        if csf.date_limite_reponse
        else "",
        "observations": "réponse reçue : conclusions finales à notifier",
    }.get(csf.statut, "conclusions intermédiaires à notifier")
    return Tache(_ENTENDRE, faite=False, lien=lien, precision=precision)


def _a_entendre(lu: ControleLu, totaux: Totaux) -> bool:
    """Tell whether the beneficiary must be heard: something is set aside, or less is due."""
    if lu.csf.version == 1:
        return totaux.ecarte > 0 or totaux.fse_du < totaux.fse_demande
    return totaux.fse_du < lu.convention.fse_du


@dataclass(frozen=True, slots=True)
class Acte:
    """An act that may be done from the page: its form, or why it cannot be done now."""

    libelle: str
    lien: str
    principal: bool = False
    refus: str | None = None
    ancre: str = ""


def refus_de_proposer(lu: ControleLu, qui: str, le: date) -> str | None:
    """Say what keeps a control from being proposed, in the words of the decision itself."""
    demande = validation.ProposerCsf(date_effet=le)
    try:
        validation.proposer_csf(lu.convention, demande, lu.csf.csf_id, qui, lu.etats)
    except Refusal as refus:
        return phrase(str(refus))
    return None


def refus_de_valider(lu: ControleLu, qui: str, le: date) -> str | None:
    """Say what keeps this person from validating, in the words of the decision itself."""
    demande = validation.ValiderCsf(date_effet=le)
    avec_la_strate = set(validees_avec_la_strate(lu.csf, lu.etats))
    try:
        validation.valider_csf(
            lu.convention,
            demande,
            lu.csf.csf_id,
            qui,
            {i: _validee(d) if i in avec_la_strate else d for i, d in lu.etats.items()},
            lu.etat,
        )
    except Refusal as refus:
        return phrase(str(refus))
    return None


def _validee(depense: Depense) -> Depense:
    return msgspec.structs.replace(depense, statut="controlee", retenu=depense.montant)


def actes_de_conclusion(
    lu: ControleLu, qui: str, le: date, peut: Collection[str], retour: str
) -> tuple[Acte, ...]:
    """List the acts that end a control, each with what keeps it from being done."""
    ici = (lu.operation.id, lu.csf.csf_id)
    if lu.csf.statut == "valide":
        if lu.bilan.statut == "controle" and "rouvrir_csf" in peut:
            return (Acte("Rouvrir le contrôle", lien_acte("rouvrir_csf", *ici, retour=retour)),)
        return ()
    listes = []
    if "proposer_csf" in peut:
        dit = "Proposer de nouveau" if lu.csf.propose else "Proposer à la validation"
        listes.append(
            Acte(
                dit,
                lien_acte("proposer_csf", *ici, retour=retour),
                principal=lu.csf.propose is None,
                refus=refus_de_proposer(lu, qui, le),
                ancre="proposer",
            )
        )
    refus = refus_de_valider(lu, qui, le)
    if "valider_csf" in peut:
        listes.append(
            Acte(
                "Valider le contrôle",
                lien_acte("valider_csf", *ici, retour=retour),
                principal=lu.csf.propose is not None,
                refus=refus,
                ancre="valider",
            )
        )
        if lu.csf.propose is not None:
            listes.append(
                Acte("Renvoyer à qui contrôle", lien_acte("renvoyer_csf", *ici, retour=retour))
            )
    else:
        listes.append(
            Acte(
                "Valider le contrôle",
                "",
                refus="La validation revient à une personne qui tient le rôle de valideur, et qui "
                "n’a ni instruit l’opération ni contrôlé ce bilan.",
                ancre="valider",
            )
        )
    return tuple(listes)


# --- The other tabs ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RessourceVue:
    """A resource of the bilan and what the control keeps of it; amounts are cents."""

    financeur: str
    type: str
    declare: int
    retenu: int | None
    precision: str | None


def ressources(lu: ControleLu) -> tuple[RessourceVue, ...]:
    """Return the resources, decided or as declared."""
    decidees = lu.csf.ressources
    if decidees is None:
        return tuple(
            RessourceVue(
                r.financeur, RESSOURCES.get(r.type, r.type), r.montant_centimes, None, None
            )
            for r in lu.bilan.ressources
        )
    return tuple(
        RessourceVue(
            r.financeur,
            RESSOURCES.get(r.type, r.type),
            r.montant_declare_centimes,
            r.montant_retenu_centimes,
            " ; ".join(
                dit
                for dit in (r.attestation_ref and f"attestation {r.attestation_ref}", r.motif)
                if dit
            )
            or None,
        )
        for r in decidees
    )


@dataclass(frozen=True, slots=True)
class RealisationVue:
    """Units or a deliverable: declared, and kept."""

    libelle: str
    declare: str
    retenu: str | None
    motif: str | None


def realisations(lu: ControleLu) -> tuple[RealisationVue, ...]:
    """Return the units and deliverables that the bilan declares."""
    vues = lu.csf.realisations_vues
    unites = {u.poste: u for u in lu.csf.unites}
    livrables = {x.id: x for x in lu.csf.livrables}
    noms = {x.id: x.libelle for p in lu.convention.plan.postes for x in p.livrables}
    return (
        *(
            RealisationVue(
                _poste(lu, u.poste),
                f"{_nombre(u.quantite)} unités",
                f"{_nombre(unites[u.poste].retenues)} unités" if vues else None,
                _motif(unites[u.poste].motif_code) if vues else None,
            )
            for u in lu.bilan.unites
        ),
        *(
            RealisationVue(
                noms.get(i) or i,
                "atteint",
                ("atteint" if livrables[i].atteint else "non atteint") if vues else None,
                _motif(livrables[i].motif_code) if vues else None,
            )
            for i in lu.bilan.livrables
        ),
    )


def _nombre(valeur: object) -> str:
    return f"{valeur:f}".replace(".", ",")


def _motif(code: str | None) -> str | None:
    return MOTIFS[code] if code else None


@dataclass(frozen=True, slots=True)
class RecettesVues:
    """Net revenue: declared, kept, and what becomes of it."""

    declarees: int
    retenues: int | None
    traitement: str | None
    fondement: str | None


def recettes(lu: ControleLu) -> RecettesVues:
    """Return the net revenue of the bilan."""
    decidees = lu.csf.recettes
    if decidees is None:
        return RecettesVues(lu.bilan.recettes_nettes, None, None, None)
    return RecettesVues(
        decidees.declarees_centimes,
        decidees.retenues_centimes,
        TRAITEMENTS_RECETTES[decidees.traitement],
        decidees.fondement,
    )


@dataclass(frozen=True, slots=True)
class PosteEchantillonnable:
    """A poste of the bilan: how many pieces, drawn or not."""

    code: str
    libelle: str
    nombre: int
    montant: int
    tires: int | None
    decides: int
    ecarte: int
    extrapole: bool
    lien_tirer: str | None
    lien_extrapoler: str | None


def postes_echantillonnables(lu: ControleLu, retour: str) -> tuple[PosteEchantillonnable, ...]:
    """Return each poste that has lines, and its draw."""
    codes = dict.fromkeys(d.etat.detail.poste for d in lu.depenses.values())
    return tuple(_echantillonnable(lu, code, retour) for code in codes)


def _echantillonnable(lu: ControleLu, code: str, retour: str) -> PosteEchantillonnable:
    etats = {i: d for i, d in lu.etats.items() if d.detail.poste == code}
    tirage = lu.csf.tirages.get(code)
    tirees = [etats[i] for i in tirage] if tirage is not None else list(etats.values())
    ici = (lu.operation.id, lu.csf.csf_id)
    ouvert = lu.csf.statut != "valide"
    peut_tirer = ouvert and tirage is None and lu.csf.modalite == "echantillon"
    peut_extrapoler = ouvert and tirage is not None and code not in lu.csf.extrapolations
    return PosteEchantillonnable(
        code=code,
        libelle=_poste(lu, code),
        nombre=len(etats),
        montant=sum(d.montant for d in etats.values()),
        tires=None if tirage is None else len(tirage),
        decides=sum(d.statut == "controlee" for d in tirees),
        ecarte=sum(d.ecarte for d in tirees),
        extrapole=code in lu.csf.extrapolations,
        lien_tirer=lien_acte("tirer_echantillon", *ici, retour=retour, poste=code)
        if peut_tirer
        else None,
        lien_extrapoler=lien_acte("decider_extrapolation", *ici, retour=retour, poste=code)
        if peut_extrapoler
        else None,
    )


@dataclass(frozen=True, slots=True)
class MarcheVu:
    """A contract of the bilan, and the rate that corrects it."""

    ref: str
    nombre: int
    montant: int
    taux: str | None
    lien: str | None


def marches(lu: ControleLu, retour: str) -> tuple[MarcheVu, ...]:
    """Return the contracts that the lines of the bilan name."""
    refs = sorted({d.detail.marche_ref for d in lu.etats.values() if d.detail.marche_ref})
    ouvert = lu.csf.statut != "valide"
    return tuple(_marche(lu, ref, retour if ouvert else None) for ref in refs)


def _marche(lu: ControleLu, ref: str, retour: str | None) -> MarcheVu:
    siens = [d for d in lu.etats.values() if d.detail.marche_ref == ref]
    taux = lu.csf.corrections_marche.get(ref)
    lien = None
    if retour is not None:
        lien = lien_acte(
            "corriger_marche", lu.operation.id, lu.csf.csf_id, retour=retour, marche_ref=ref
        )
    return MarcheVu(
        ref,
        len(siens),
        sum(d.montant - d.ecarte for d in siens),
        None if taux is None else f"{_nombre(taux)} %",
        lien,
    )


@dataclass(frozen=True, slots=True)
class PointVu:
    """A point of the checklist and its answer."""

    numero: int
    libelle: str
    reponse: str
    commentaire: str

    @property
    def dite(self) -> str:
        """The answer, as people say it."""
        return dict(REPONSES).get(self.reponse, "sans réponse")


def points(csf: Csf, saisis: Mapping[int, tuple[str, str]] | None = None) -> tuple[PointVu, ...]:
    """Return every point of the checklist, as it was typed or answered."""
    remplis = {p.numero: (p.reponse, p.commentaire or "") for p in csf.grille}
    vus: Mapping[int, tuple[str, str]] = remplis if saisis is None else saisis
    return tuple(
        PointVu(numero, libelle, *vus.get(numero, ("", ""))) for numero, libelle in POINTS.items()
    )


@dataclass(frozen=True, slots=True)
class ActeFait:
    """An act of the control, told in one line."""

    le: date
    phrase: str
    acteur: str
    motif: str | None
    lien: str


def actes_faits(lu: ControleLu) -> tuple[ActeFait, ...]:
    """Tell the acts of the control, the last one first."""
    return tuple(_fait(lu.operation.numero_mdfse, e) for e in reversed(lu.actes))


def _fait(numero: str, lu: EvenementLu) -> ActeFait:
    return ActeFait(
        lu.date_effet,
        phrase(lu.phrase),
        lu.acteur,
        lu.motif,
        f"/dossiers/{numero}#evenement-{lu.position}",
    )


@dataclass(frozen=True, slots=True)
class EtapeContradictoire:
    """A step of the contradictory phase: done on a day, or how to do it."""

    libelle: str
    le: date | None
    precision: str | None
    acte: Acte | None = None


def contradictoire(
    lu: ControleLu, totaux: Totaux, le: date, peut: Collection[str], retour: str
) -> tuple[EtapeContradictoire, ...]:
    """Return the three steps of the phase."""
    dernier = _derniers(lu)
    csf = lu.csf
    ouvert = csf.statut != "valide"
    conclusions = dernier.get("convention.conclusions_intermediaires_notifiees.v1")
    limite = csf.date_limite_reponse

    def acte(nom: str, libelle: str, *, principal: bool, refus: str | None = None) -> Acte | None:
        if not ouvert or nom not in peut:
            return None
        lien = lien_acte(nom, lu.operation.id, csf.csf_id, retour=retour)
        return Acte(libelle, lien, principal=principal, refus=refus)

    entendu = csf.statut in {"observations", "finales"} or (limite is not None and le > limite)
    sans_conclusions = None if conclusions else "Notifiez d’abord les conclusions intermédiaires."
    attente = (
        None
        if entendu or sans_conclusions or limite is None
        else f"La réponse du bénéficiaire est attendue jusqu’au {jour(limite)}."
    )
    return (
        EtapeContradictoire(
            "Conclusions intermédiaires",
            conclusions.date_effet if conclusions else None,
            _dit_conclusions(csf, totaux),
            acte(
                "notifier_conclusions",
                "Notifier de nouveau" if conclusions else "Notifier les conclusions",
                principal=not conclusions,
                refus=f"{entier(totaux.reste)} dépenses n’ont pas encore de décision."
                if totaux.reste and not conclusions
                else None,
            ),
        ),
        EtapeContradictoire(
            "Réponse du bénéficiaire",
            _le(dernier, "convention.observations_recues.v1", conclusions),
            None
            if limite is None
            else f"attendue jusqu’au {jour(limite)}" + (", délai écoulé" if le > limite else ""),
            acte(
                "recevoir_observations",
                "Enregistrer la réponse",
                principal=bool(conclusions) and csf.statut == "conclusions",
                refus=sans_conclusions,
            ),
        ),
        EtapeContradictoire(
            "Conclusions finales",
            _le(dernier, "convention.conclusions_finales_notifiees.v1", conclusions),
            None,
            acte(
                "notifier_conclusions_finales",
                "Notifier les conclusions finales",
                principal=entendu and csf.statut != "finales",
                refus=sans_conclusions or attente,
            ),
        ),
    )


def _derniers(lu: ControleLu) -> dict[str, EvenementLu]:
    """Return the last fact of each name, of the version of the control that stands."""
    return {e.name: e for e in lu.actes if getattr(e.fait, "csf_id", None) == lu.csf.csf_id}


def _le(
    dernier: Mapping[str, EvenementLu], nom: str, conclusions: EvenementLu | None
) -> date | None:
    """Return the day of a step; one that came before the last conclusions does not count."""
    trouve = dernier.get(nom)
    if trouve is None or conclusions is None or trouve.version < conclusions.version:
        return None
    return trouve.date_effet


def _dit_conclusions(csf: Csf, totaux: Totaux) -> str | None:
    if csf.fse_annonce is None:
        return None
    dit = f"{euros(csf.fse_annonce)} de FSE annoncés"
    if csf.fse_annonce != totaux.fse_du:
        dit += f" ; le contrôle en donne maintenant {euros(totaux.fse_du)}"
    return dit


# --- The whole page ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnTete:
    """What every tab of the control shows above it."""

    titre: str
    surtitre: str
    lien_dossier: str
    beneficiaire: str
    plie: str
    statut: str
    niveau: str
    controleur: str
    onglets: tuple[tuple[str, str, bool, int], ...]
    bandeau: str | None
    fictive: bool
    oi_nom: str
    lien_rapport: str
    reste: tuple[Tache, ...] = field(default=())


_STATUTS_DU_CSF = {
    "en_controle": ("En contrôle", "information"),
    "conclusions": ("En phase contradictoire", "information"),
    "observations": ("Réponse reçue", "attention"),
    "finales": ("Conclusions finales notifiées", "information"),
    "valide": ("Validé", "bien"),
}


def en_tete(lu: ControleLu, totaux: Totaux, adresse: Adresse, faites: Sequence[Tache]) -> EnTete:
    """Prepare the head of the page."""
    operation, bilan, csf = lu.operation, lu.bilan, lu.csf
    statut, niveau = _STATUTS_DU_CSF[csf.statut]
    if csf.statut == "valide" and bilan.statut != "controle":
        statut, niveau = "Rouvert, à contrôler de nouveau", "attention"
    elif csf.propose is not None and csf.statut != "valide":
        statut, niveau = "À valider", "attention"
    numeros = {"depenses": totaux.reste if not totaux.valide else 0}
    return EnTete(
        titre=f"Contrôle du bilan n°\u00a0{bilan.numero}",
        surtitre=operation.numero_mdfse,
        lien_dossier=f"/dossiers/{operation.numero_mdfse}#bilan-{bilan.bilan_id}",
        beneficiaire=operation.beneficiaire,
        plie=operation.plie_nom,
        statut=statut,
        niveau=niveau,
        controleur=f"bilan {TYPES_DE_BILAN[bilan.type]} du {jour(bilan.periode.debut)} au "
        f"{jour(bilan.periode.fin)}, contrôlé par {csf.controleur}, version {csf.version}",
        onglets=tuple(
            (
                libelle,
                replace(adresse, onglet=o, voir="toutes").de(),
                o == adresse.onglet,
                numeros.get(o, 0),
            )
            for o, libelle in ONGLETS.items()
        ),
        bandeau=_renvoi(lu),
        fictive=operation.fictive,
        oi_nom=operation.oi_nom,
        lien_rapport=f"{adresse.chemin}/rapport",
        reste=tuple(t for t in faites if not t.faite),
    )


def _renvoi(lu: ControleLu) -> str | None:
    """Say why a control came back, until it is proposed again."""
    if lu.csf.renvoye_le is None or lu.csf.statut == "valide":
        return None
    renvoi = _derniers(lu)["convention.csf_renvoye.v1"]
    return f"Renvoyé le {jour(renvoi.date_effet)} par {renvoi.acteur} : {renvoi.motif}"
