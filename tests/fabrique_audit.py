"""The working file of an auditor: its facts and commands, with sane defaults."""

from typing import Any
from uuid import UUID

from aggregates.audit import events as ae
from aggregates.audit.constats import ArreterResultat, CorrigerConstat, NoterConstats
from aggregates.audit.dossier import CloreDossierAudit, OuvrirDossierAudit
from aggregates.audit.echantillons import TirerEchantillonAudit
from aggregates.audit.populations import FigerPopulation
from aggregates.commande import Commande
from oi_service.codec import Evenement

POPULATION_ID, ECHANTILLON_ID = UUID(int=0xA1), UUID(int=0xA2)
_DEPENSE_ID, _AUTRE_ID = UUID(int=9), UUID(int=10)

#: Fields of the facts of this aggregate, some of them in a form of their own.
CHAMPS: dict[type[Evenement], dict[str, Any]] = {
    ae.DossierAuditOuvert: {
        "mission": "Audit d’opérations 2022",
        "organisme": "Autorité d’audit",
        "reference": "AUD-2022-07",
        "perimetre": "Dépenses déclarées en 2021",
    },
    ae.PopulationFigee: {
        "population_id": POPULATION_ID,
        "definition": ae.DefinitionPopulation(portee="etat_depenses", etat_no="ED-1"),
        "montant": "declare",
        "position": 1842,
        "nombre": 12,
        "total_centimes": 1_325_000,
        "a_part_nombre": 2,
        "a_part_centimes": -25_000,
        "empreinte": "ab" * 32,
    },
    ae.EchantillonAuditTire: {
        "echantillon_id": ECHANTILLON_ID,
        "population_id": POPULATION_ID,
        "rang": 1,
        "methode": "stratifie",
        "algorithme": "stratifie-sha256-v1",
        "parametres": ae.ParametresTirage(
            taille=2,
            critere="montant",
            bornes_centimes=(100_000,),
            repartition="montant",
            selection="mus",
        ),
        "graine": "2022-11-21",
        "graine_origine": "Tirage public du 21 novembre 2022",
        "remplace": None,
        "etend": None,
        "strates": (
            ae.StrateTiree(
                code="tranche-0",
                selection="mus",
                nombre=9,
                total_centimes=450_000,
                exhaustives_nombre=0,
                tirees_nombre=1,
                base_centimes=450_000,
                depart=123_456,
            ),
            ae.StrateTiree(
                code="tranche-1",
                selection="mus",
                nombre=1,
                total_centimes=900_000,
                exhaustives_nombre=1,
                tirees_nombre=0,
                base_centimes=0,
            ),
        ),
        "tirage": (
            ae.UniteTiree(
                depense_id=_DEPENSE_ID,
                montant_centimes=50_000,
                strate="tranche-0",
                exhaustive=False,
            ),
            ae.UniteTiree(
                depense_id=_AUTRE_ID, montant_centimes=900_000, strate="tranche-1", exhaustive=True
            ),
        ),
        "tirage_centimes": 950_000,
    },
    ae.ConstatAuditNote: {
        "echantillon_id": ECHANTILLON_ID,
        "depense_id": _DEPENSE_ID,
        "montant_centimes": 50_000,
        "erreur_centimes": 5_000,
        "commentaire": "Une journée n’est pas justifiée.",
    },
    ae.ConstatAuditCorrige: {
        "echantillon_id": ECHANTILLON_ID,
        "depense_id": _DEPENSE_ID,
        "erreur_avant_centimes": 5_000,
        "erreur_apres_centimes": 0,
        "commentaire_avant": "Une journée n’est pas justifiée.",
        "commentaire_apres": "La feuille de temps a été produite.",
    },
    ae.ResultatAuditArrete: {
        "echantillon_id": ECHANTILLON_ID,
        "total_centimes": 1_350_000,
        "erreur_constatee_centimes": 5_000,
        "erreur_projetee_exacte": "45000",
        "erreur_projetee_centimes": 45_000,
        "strates": (
            ae.ResultatStrate(
                code="tranche-0",
                total_centimes=450_000,
                erreur_constatee_centimes=5_000,
                erreur_projetee_exacte="45000",
            ),
        ),
    },
    ae.DossierAuditClos: {"conclusion": "Erreur projetée de 3,33 %."},
}

#: Commands as typed at a door.
SAISIES: dict[type[Commande], dict[str, Any]] = {
    OuvrirDossierAudit: {
        "mission": "Audit d’opérations 2022",
        "organisme": "Autorité d’audit",
        "reference": "AUD-2022-07",
        "perimetre": "Dépenses déclarées en 2021",
    },
    FigerPopulation: {"definition": {"portee": "toutes"}, "montant": "declare"},
    TirerEchantillonAudit: {"population_id": POPULATION_ID, "methode": "simple", "taille": 4},
    NoterConstats: {
        "constats": [{"depense_id": _DEPENSE_ID, "erreur": "50.00", "commentaire": "Une journée"}]
    },
    CorrigerConstat: {"erreur": "0.00", "commentaire": "Feuille de temps produite"},
    ArreterResultat: {},
    CloreDossierAudit: {"conclusion": "Erreur projetée de 3,33 %."},
}
