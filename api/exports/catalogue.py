"""Every list that leaves as a file. A line of `LISTES` is all that one more asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from aggregates.controle_operation.events import Organisme
from aggregates.lot.importation import SANS_MONTANT
from aggregates.operation.state import LIBELLES as STATUTS_DES_OPERATIONS
from api.droits import ROLES, Role
from api.exports.listes import Champ, Demande, Liste, champ, fixes, pages
from api.gestion_comptes import FiltresComptes
from api.mes_acces import filtres_des_traces
from api.tableaux import Colonne
from api.v1.bilans_attendus import FiltresBilansAttendus
from api.v1.lectures import (
    FiltresAppels,
    FiltresContreparties,
    FiltresEnveloppes,
    FiltresJournal,
    FiltresOperations,
    FiltresSitues,
    FiltresToutesDepenses,
    Mot,
)
from api.v1.lots import FiltresLots
from oi_service.acces.acces import Fiche
from oi_service.acces.traces import NATURES, Nature
from oi_service.clock import today
from oi_service.dates import Jour
from projections import appels_a_projets as projection_appels
from projections import bilans_attendus as projection_bilans
from projections import contreparties as projection_contreparties
from projections import controles_operation as projection_controles
from projections import csf as projection_csf
from projections import dossiers as projection_dossiers
from projections import horloges as projection_horloges
from projections import journal as projection_journal
from projections import lots as projection_lots
from projections import maquette as projection_maquette
from projections import subventions_globales as projection_subventions
from projections import toutes_depenses as projection_depenses
from projections import trop_percus as projection_trop_percus
from projections.comptes import CompteLu
from projections.histoire import NATURES_DE_LOT, TYPES_DE_BILAN
from projections.histoire import ROLES as LIBELLES_DES_ROLES
from projections.maquette import QUANTITES, Chiffres, Maquette
from projections.mesures import DERIVES, libelle, unite
from rules.controle_operation import ORGANISMES
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES, RESSOURCES

# --- Operations and dépenses ---------------------------------------------------------------------

_DOSSIER = champ("numero_mdfse", "N° dossier", "code")
_BENEFICIAIRE = champ("beneficiaire", "Bénéficiaire")
_PLIE = champ("plie_nom", "PLIE")
_LIEU = (
    champ("annee", "Tranche", "code"),
    champ("axe", "Axe", "code"),
    champ("objectif_specifique", "Objectif spécifique", "code"),
    champ("dispositif", "Dispositif", "code"),
)
_MONTANTS_DES_OPERATIONS = tuple(
    n for n in QUANTITES if n in projection_dossiers.LigneOperation.__dataclass_fields__
)


def _montant(nom: str) -> Champ:
    return champ(nom, libelle(nom), "euros", somme=True)


_OPERATIONS = fixes(
    _DOSSIER,
    champ("numero_convention", "N° convention", "code"),
    champ("intitule", "Intitulé"),
    _BENEFICIAIRE,
    champ("siret", "SIRET", "code"),
    _PLIE,
    *_LIEU,
    champ("statut_libelle", "État"),
    champ("depose_le", "Déposé le", "jour"),
    champ("debut", "Début", "jour"),
    champ("fin", "Fin", "jour"),
    *map(_montant, _MONTANTS_DES_OPERATIONS),
)

_DEPENSES = fixes(
    champ("piece_ref", "N° pièce", "code"),
    _DOSSIER,
    _BENEFICIAIRE,
    _PLIE,
    champ("poste_libelle", "Poste"),
    champ("nature", "Nature"),
    champ("tiers_ref", "Tiers"),
    champ("date_piece", "Date de la pièce", "jour"),
    champ("date_realisation", "Réalisée le", "jour"),
    champ("date_acquittement", "Acquittée le", "jour"),
    champ("statut_libelle", "État"),
    champ("bilan_numero", "Bilan n°", "code", aide="Bilan déposé qui porte la dépense."),
    champ(
        "montant_impute",
        "Montant imputé",
        "euros",
        somme=True,
        aide="En coût total. Le total ne compte pas les dépenses annulées, qui sont dans la liste.",
    ),
    champ("retenu", "Retenu au contrôle", "euros", somme=True),
    champ("ecarte", "Écarté au contrôle", "euros", somme=True),
    champ("motif_libelle", "Motif de l’écart"),
    champ("id", "Identifiant", "code", lambda d: str(d.id)),
)


def _operations(demande: Demande) -> Iterator[projection_dossiers.LigneOperation]:
    return pages(
        projection_dossiers.operations,
        demande.conn,
        demande.perimetre,
        demande.situation,
        **demande.arguments(),
    )


def _depenses(demande: Demande) -> Iterator[projection_depenses.DepenseListee]:
    return projection_depenses.parcourir(
        demande.conn,
        demande.perimetre,
        demande.situation,
        demande.filtres.lesquelles(),
        tri=demande.filtres.tri,
        ordre=demande.filtres.ordre,
    )


# --- The grant -----------------------------------------------------------------------------------


class DUneSubvention(FiltresSitues):
    """What belongs to a grant."""

    subvention_globale_id: UUID | None = Field(
        None, description="La dernière enregistrée à défaut."
    )


class FiltresDeMaquette(DUneSubvention):
    """The maquette, line by line or by one of its axes."""

    niveau: Literal["detail", "plie", "annee", "axe", "objectif_specifique", "dispositif"] = (
        "detail"
    )


class FiltresDEnveloppes(FiltresEnveloppes, DUneSubvention):
    """Enveloppes of a grant."""


class FiltresDeContreparties(FiltresContreparties, DUneSubvention):
    """Contreparties of a grant."""


def _subvention(demande: Demande) -> UUID | None:
    """Return the grant asked for, else the last one that the situation knows."""
    if demande.filtres.subvention_globale_id is not None:
        asked: UUID = demande.filtres.subvention_globale_id
        return asked
    connues = projection_maquette.subventions(demande.conn, demande.perimetre, demande.situation)
    return next((s.id for s in connues), None)


@dataclass(frozen=True, slots=True)
class _LigneDeMaquette:
    """A line of the maquette, or what some add up to."""

    lieu: Mapping[str, str | int]
    chiffres: Chiffres


def _chiffre(nom: str) -> Champ:
    """Return a figure of the maquette; a rate of the total is that of the sums."""
    genre: Any = {"pourcent": "taux", "nombre": "nombre", "euros": "euros"}[unite(nom)]
    derive = DERIVES.get(nom)
    return Champ(
        Colonne(nom, libelle(nom), genre, derive.formule if derive else None),
        lambda ligne: getattr(ligne.chiffres, nom),
        (lambda sommes: sommes[nom]) if derive is None else derive.valeur,
    )


_AXES = {
    "plie": champ("plie", "PLIE", lire=lambda ligne: ligne.lieu["plie"]),
    "annee": champ("annee", "Tranche", "code", lambda ligne: ligne.lieu["annee"]),
    "axe": champ("axe", "Axe", "code", lambda ligne: ligne.lieu["axe"]),
    "objectif_specifique": champ(
        "objectif_specifique",
        "Objectif spécifique",
        "code",
        lambda ligne: ligne.lieu["objectif_specifique"],
    ),
    "dispositif": champ("dispositif", "Dispositif", "code", lambda ligne: ligne.lieu["dispositif"]),
}
_CHIFFRES = tuple(map(_chiffre, (*QUANTITES, *DERIVES)))


def _champs_de_maquette(filtres: FiltresDeMaquette) -> Sequence[Champ]:
    axes = _AXES.values() if filtres.niveau == "detail" else (_AXES[filtres.niveau],)
    return (*axes, *_CHIFFRES)


def _maquette(demande: Demande) -> Iterator[_LigneDeMaquette]:
    lue = projection_maquette.charger(
        demande.conn, demande.perimetre, demande.filtres.subvention_globale_id, demande.situation
    )
    return iter(()) if lue is None else _lignes_de_maquette(lue, demande.filtres.niveau)


def _lignes_de_maquette(lue: Maquette, niveau: Any) -> Iterator[_LigneDeMaquette]:
    if niveau != "detail":
        for _, nom, chiffres in lue.par(niveau):
            yield _LigneDeMaquette({niveau: nom}, chiffres)
        return
    for x in lue.lignes:
        lieu: dict[str, str | int] = {
            "plie": x.plie_nom,
            "annee": x.annee,
            "axe": x.axe,
            "objectif_specifique": x.objectif_specifique,
            "dispositif": x.dispositif,
        }
        yield _LigneDeMaquette(lieu, x.chiffres)


_ENVELOPPES = fixes(
    _PLIE,
    *_LIEU,
    champ("alloue", "Alloué", "euros", somme=True),
    champ("programme", "Programmé", "euros", somme=True),
    champ("disponible", "Disponible", "euros", somme=True),
)
_CONTREPARTIES = fixes(
    champ("financeur", "Financeur"),
    champ("type_libelle", "Nature"),
    champ("plie_id", "PLIE", lire=lambda c: c.plie_id or "tout l’OI"),
    champ("annee", "Année", "code"),
    champ("attribue", "Attribué", "euros", somme=True),
    champ("percu", "Perçu", "euros", somme=True),
    champ("affecte", "Affecté", "euros", somme=True),
    champ("reste", "Reste à affecter", "euros", somme=True),
    champ("id", "Identifiant", "code", lambda c: str(c.id)),
)
_APPELS = fixes(
    champ("numero", "N°", "code"),
    champ("intitule", "Intitulé"),
    champ("date_ouverture", "Ouvert le", "jour"),
    champ("date_cloture", "Clôture prévue le", "jour"),
    champ("clos", "Clos", lire=lambda a: "oui" if a.clos else "non"),
    champ("nb_fiches", "Fiches opération", "nombre", somme=True),
)


def _d_une_subvention(lire: Any) -> Any:
    def lignes(demande: Demande) -> Iterator[Any]:
        subvention = _subvention(demande)
        if subvention is None:
            return iter(())
        return pages(
            lire,
            demande.conn,
            demande.perimetre,
            subvention,
            demande.situation,
            **demande.arguments("subvention_globale_id"),
        )

    return lignes


def _appels(demande: Demande) -> Iterator[projection_appels.LigneAppel]:
    return pages(
        projection_appels.appels_a_projets,
        demande.conn,
        demande.perimetre,
        demande.situation,
        **demande.arguments(),
    )


# --- The journal ---------------------------------------------------------------------------------


class FiltresDHistoire(FiltresSitues):
    """The story of a dossier."""

    dossier: Mot = Field(description="Numéro du dossier.")


_FAITS = fixes(
    champ("position", "N°", "code"),
    champ("date_effet", "Date d’effet", "jour"),
    champ("enregistre_le", "Enregistré le", "instant"),
    champ("acteur", "Acteur", "code"),
    champ("role", "Rôle", lire=lambda f: LIBELLES_DES_ROLES.get(f.role, f.role)),
    champ("phrase", "Fait"),
    champ("motif", "Motif"),
    champ("name", "Événement", "code"),
    champ("stream_id", "Flux", "code", lambda f: str(f.stream_id)),
)


def _journal(demande: Demande) -> Iterator[projection_journal.EvenementLu]:
    return pages(
        projection_journal.journal,
        demande.conn,
        demande.perimetre,
        demande.situation,
        **demande.arguments(),
    )


def _histoire(demande: Demande) -> list[projection_journal.EvenementLu]:
    return projection_journal.histoire_du_dossier(
        demande.conn, demande.perimetre, demande.filtres.dossier, demande.situation
    )


# --- What waits ----------------------------------------------------------------------------------


class FiltresDHorloges(FiltresSitues):
    """The clocks that run on a day."""

    le: Jour = Field(default_factory=today, description="Aujourd’hui à défaut.")


class FiltresDeCsf(FiltresSitues):
    """Bilans on their way through the control."""

    plie: Mot | None = None
    etape: projection_csf.Etape | None = None
    en_retard: bool = False
    suivi_par: Mot | None = None


class FiltresDeSuites(FiltresSitues):
    """What findings wait for."""

    operation_id: UUID | None = None
    plie: Mot | None = None
    organisme: Organisme | None = None
    en_retard: bool = False
    le: Jour | None = Field(None, description="Aujourd’hui à défaut.")


_BILANS = fixes(
    _DOSSIER,
    champ("numero_convention", "N° convention", "code"),
    _BENEFICIAIRE,
    _PLIE,
    champ("intitule", "Intitulé"),
    champ("numero", "Bilan n°", "code"),
    champ("type", "Type", lire=lambda b: TYPES_DE_BILAN.get(b.type, b.type)),
    champ("date_limite", "Attendu le", "jour"),
    champ("etat_libelle", "État"),
    champ("jours_de_retard", "Jours de retard", "nombre"),
    champ("reclame_le", "Réclamé le", "jour"),
    champ("reponse_jusqu_au", "Réponse jusqu’au", "jour"),
)
_HORLOGES = fixes(
    _DOSSIER,
    _BENEFICIAIRE,
    champ("plie_id", "PLIE", "code"),
    champ("numero", "Bilan n°", "code"),
    champ("type", "Type", lire=lambda h: TYPES_DE_BILAN.get(h.type, h.type)),
    champ("depose_le", "Déposé le", "jour"),
    champ("fse_declare", "FSE demandé", "euros", somme=True),
    champ("delai_jours", "Délai (jours)", "nombre"),
    champ("jours_consommes", "Jours écoulés", "nombre"),
    champ("echeance", "À payer avant le", "jour"),
    champ("cause_libelle", "Interrompu"),
    champ("alerte", "Seuil atteint (%)", "nombre"),
)
_CSF = fixes(
    _DOSSIER,
    _BENEFICIAIRE,
    _PLIE,
    champ("numero", "Bilan n°", "code"),
    champ("type", "Type", lire=lambda b: TYPES_DE_BILAN.get(b.type, b.type)),
    champ("etape_libelle", "Étape"),
    champ("depose_le", "Déposé le", "jour"),
    champ("age", "Âge (jours)", "nombre"),
    champ("echeance", "À payer avant le", "jour"),
    champ("declare", "FSE demandé", "euros", somme=True),
    champ("nb_depenses", "Dépenses", "nombre", somme=True),
    champ("controleur", "Contrôlé par"),
    champ("ouvert_le", "Contrôle ouvert le", "jour"),
    champ("conclusions_le", "Conclusions le", "jour"),
    champ("reponse_jusqu_au", "Réponse jusqu’au", "jour"),
    champ("propose_le", "Proposé le", "jour"),
    champ("valide_le", "Validé le", "jour"),
    champ("valideur", "Validé par"),
    champ("du", "FSE dû", "euros", somme=True),
)
_TROP_PERCUS = fixes(
    _DOSSIER,
    _BENEFICIAIRE,
    champ("plie_id", "PLIE", "code"),
    champ("nature", "Nature"),
    champ("paye", "Payé", "euros", somme=True),
    champ("du", "Dû", "euros", somme=True),
    champ("irrecouvrable", "Irrécouvrable", "euros", somme=True),
    champ("montant", "Trop-perçu", "euros", somme=True),
    champ("a_encaisser", "Réclamé", "euros", somme=True),
    champ("a_reclamer", "À réclamer", "euros", somme=True),
)
_SUITES = fixes(
    champ("reference", "Contrôle", "code"),
    champ("organisme_libelle", "Organisme"),
    champ("constat_numero", "Constat n°", "code"),
    _DOSSIER,
    _BENEFICIAIRE,
    champ("plie_id", "PLIE", "code"),
    champ("objet_libelle", "Attendu"),
    champ("action", "Action"),
    champ("responsable", "Responsable"),
    champ("echeance", "Échéance", "jour"),
    champ("retard_jours", "Jours de retard", "nombre"),
    champ("cout_total", "Coût total en jeu", "euros", somme=True),
    champ("fse", "FSE en jeu", "euros", somme=True),
)


_LOTS = fixes(
    champ("numero", "Lot n°", "code"),
    champ("nature_libelle", "Nature"),
    champ("importe_le", "Importé le", "jour"),
    champ("acteur", "Importé par", "code"),
    champ("lignes_lues", "Lignes lues", "nombre"),
    champ("lignes", "Lignes enregistrées", "nombre"),
    champ("ecartees", "Lignes laissées de côté", "nombre"),
    champ("total", "Total", "euros", lambda x: None if x.nature in SANS_MONTANT else x.total),
    champ("total_controle", "Total de contrôle", "euros"),
    champ("annule_le", "Annulé le", "jour"),
    champ("plies", "PLIE", "code", lambda x: ", ".join(x.plies), aide="Vide : l’OI entier."),
    champ("modele_version", "Version du modèle", "code"),
    champ("fichier_format", "Format", "code"),
    champ("fichier_octets", "Poids (octets)", "nombre"),
    champ("fichier_sha256", "Empreinte SHA-256", "code"),
    champ("id", "Identifiant", "code", lambda x: str(x.id)),
)


def _lots(demande: Demande) -> Iterator[projection_lots.LigneLot]:
    return pages(projection_lots.lots, demande.conn, demande.perimetre, **demande.arguments())


def _bilans(demande: Demande) -> Iterator[projection_bilans.BilanAttendu]:
    return pages(
        projection_bilans.bilans_attendus, demande.conn, demande.perimetre, **demande.arguments()
    )


def _horloges(demande: Demande) -> Sequence[projection_horloges.HorlogeDeBilan]:
    return projection_horloges.horloges(demande.conn, demande.perimetre, demande.filtres.le)


def _csf(demande: Demande) -> Iterator[projection_csf.BilanEnControle]:
    asked = demande.filtres
    le = demande.situation.effet_au or today()
    bilans = projection_csf.bilans_en_controle(
        demande.conn, demande.perimetre, le, demande.situation, plie_id=asked.plie
    )
    return (b for b in bilans if b.repond(asked.etape, asked.suivi_par, tard=asked.en_retard))


def _trop_percus(demande: Demande) -> Sequence[projection_trop_percus.TropPercu]:
    return projection_trop_percus.trop_percus(demande.conn, demande.perimetre, demande.situation)


def _suites(demande: Demande) -> Sequence[projection_controles.Attente]:
    le = demande.filtres.le or demande.situation.effet_au or today()
    choix = projection_controles.FiltresControles(**demande.arguments("le"))
    return projection_controles.attentes(
        demande.conn, demande.perimetre, choix, demande.situation, le=le
    )


# --- Accounts and traces -------------------------------------------------------------------------


class FiltresDeComptes(FiltresSitues):
    """Accounts."""

    recherche: Mot | None = None
    statut: Literal["ouvert", "suspendu", "ferme"] | None = None
    role: Role | None = None


class FiltresDeTraces(FiltresSitues):
    """Traces."""

    nature: Nature | None = None
    identifiant: Mot | None = None
    jour: Jour | None = None


Compte = tuple[CompteLu, Fiche | None]


def _roles_tenus(compte: Compte) -> str:
    le = today()
    tenus = [r for r in compte[0].roles if r.en_vigueur(le)]
    dits = (
        LIBELLES_DES_ROLES[r.role] + (f" ({', '.join(r.plies)})" if r.plies else "") for r in tenus
    )
    return ", ".join(dict.fromkeys(dits))


_COMPTES = fixes(
    champ("identifiant", "Identifiant", "code", lambda c: c[0].identifiant),
    champ("nom", "Nom", lire=lambda c: c[1].nom if c[1] else None),
    champ("courriel", "Courriel", lire=lambda c: c[1].courriel if c[1] else None),
    champ("statut", "État", lire=lambda c: c[0].statut),
    champ("roles", "Rôles d’aujourd’hui", lire=_roles_tenus),
    champ("ouvert_le", "Ouvert le", "jour", lambda c: c[0].ouvert_le),
    champ(
        "second_facteur",
        "Second facteur",
        lire=lambda c: "oui" if c[1] and c[1].second_facteur else "non",
    ),
    champ(
        "derniere_connexion",
        "Dernière connexion",
        "instant",
        lambda c: c[1].derniere_connexion if c[1] else None,
    ),
)
_TRACES = fixes(
    champ("id", "N°", "code"),
    champ("instant", "Instant", "instant"),
    champ("nature", "Nature", lire=lambda t: NATURES[t.nature]),
    champ("identifiant", "Compte", "code"),
    champ("role", "Rôle", lire=lambda t: LIBELLES_DES_ROLES.get(t.role or "", t.role)),
    champ("adresse", "Adresse", "code"),
    champ("objet", "Détails", lire=lambda t: " · ".join(f"{n} : {v}" for n, v in t.objet.items())),
)


def _comptes(demande: Demande) -> Sequence[Compte]:
    return demande.entrees.comptes(demande.conn, FiltresComptes(**demande.arguments()))


def _traces(demande: Demande) -> Iterator[Any]:
    filtres = filtres_des_traces(**demande.arguments())
    avant, reste = None, True
    while reste:
        page = demande.entrees.acces.traces(filtres, avant=avant, limite=_TRACES_PAR_PAGE)
        yield from page.traces
        avant = page.suivant
        reste = avant is not None


_TRACES_PAR_PAGE = 500

# --- All of them ---------------------------------------------------------------------------------

#: The address of each is ``/exports/{nom}``; its line in `api.droits`, ``exporter_liste_{nom}``.
LISTES: Sequence[Liste] = (
    Liste("operations", "Opérations", FiltresOperations, _OPERATIONS, _operations),
    Liste(
        "depenses",
        "Dépenses",
        FiltresToutesDepenses,
        _DEPENSES,
        _depenses,
        compte=lambda d: d.statut != "annulee",
    ),
    Liste("maquette", "Maquette", FiltresDeMaquette, _champs_de_maquette, _maquette),
    Liste(
        "enveloppes",
        "Enveloppes",
        FiltresDEnveloppes,
        _ENVELOPPES,
        _d_une_subvention(projection_subventions.enveloppes),
    ),
    Liste(
        "contreparties",
        "Contreparties",
        FiltresDeContreparties,
        _CONTREPARTIES,
        _d_une_subvention(projection_contreparties.contreparties),
    ),
    Liste("appels_a_projets", "Appels à projets", FiltresAppels, _APPELS, _appels),
    Liste("journal", "Journal", FiltresJournal, _FAITS, _journal),
    Liste("histoire", "Histoire du dossier", FiltresDHistoire, _FAITS, _histoire),
    Liste("bilans_attendus", "Bilans attendus", FiltresBilansAttendus, _BILANS, _bilans),
    Liste("horloges", "Délais de paiement", FiltresDHorloges, _HORLOGES, _horloges),
    Liste("csf", "Contrôles de service fait", FiltresDeCsf, _CSF, _csf),
    Liste("trop_percus", "Trop-perçus", FiltresSitues, _TROP_PERCUS, _trop_percus),
    Liste("suites_attendues", "Suites attendues", FiltresDeSuites, _SUITES, _suites),
    Liste("lots", "Lots importés", FiltresLots, _LOTS, _lots),
    Liste("comptes", "Comptes", FiltresDeComptes, _COMPTES, _comptes),
    Liste("traces", "Traces", FiltresDeTraces, _TRACES, _traces),
)

#: How each filter is said in the file.
FILTRES: Mapping[str, str] = {
    "acteur": "Acteur",
    "annee": "Tranche",
    "attend": "Attend",
    "au": "Effet jusqu’au",
    "bilan_id": "Bilan",
    "date_piece_au": "Pièces jusqu’au",
    "date_piece_du": "Pièces depuis le",
    "dossier": "Dossier",
    "du": "Effet depuis le",
    "ecartees": "Écartées",
    "en_retard": "En retard",
    "etape": "Étape",
    "etat": "État",
    "flux": "Flux",
    "identifiant": "Compte",
    "jour": "Jour",
    "le": "Au",
    "montant_max": "Montant maximal",
    "montant_min": "Montant minimal",
    "motif_code": "Motif",
    "nature": "Nature",
    "niveau": "Niveau",
    "nom": "Événement",
    "objectif_specifique": "Objectif spécifique",
    "operation": "Dossier",
    "operation_id": "Opération",
    "organisme": "Organisme",
    "plie": "PLIE",
    "poste": "Poste",
    "rattachee": "Dans un bilan déposé",
    "recherche": "Recherche",
    "role": "Rôle",
    "statut": "État",
    "subvention_globale_id": "Subvention globale",
    "suivi_par": "Suivi par",
    "type_financeur": "Nature du financeur",
}
#: How the code that a filter asks is said.
VALEURS: Mapping[str, str] = {
    **POSTES,
    **RESSOURCES,
    **MOTIFS,
    **ORGANISMES,
    **{str(code): dit for code, dit in NATURES.items()},
    **{role: LIBELLES_DES_ROLES[role] for role in ROLES},
    **{code: dit.lower() for code, dit in projection_depenses.STATUTS.items()},
    **NATURES_DE_LOT,
    **projection_bilans.ETATS,
    **{str(code): dit for code, dit in projection_csf.ETAPES.items()},
    **{str(code): dit for code, dit in STATUTS_DES_OPERATIONS.items()},
    **{str(code): dit for code, (dit, _) in projection_dossiers.ATTENTES.items()},
    "detail": "ligne par ligne",
    "plie": "par PLIE",
}
