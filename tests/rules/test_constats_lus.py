"""What a controller reads: every finding in full, its words, its text and the values compared.

`constats_lus.txt` is the published reading. A change of a sentence or of a value is seen there, in
the review; write it again with the command below once it is meant.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from oi_service.dates import Periode
from rules.constat import STATUTS, Constat
from rules.doubles import Presentation
from rules.eligibilite import Contexte, DepenseCorrigee, DepenseExaminee, examiner
from rules.temps import Cle, JourTravaille, Temps, TempsAilleurs

RAFRAICHIR = "OI_INSTANTANES=1 pytest tests/rules/test_constats_lus.py"
PUBLIE = Path(__file__).with_name("constats_lus.txt")

SANS_PAIEMENT = {"acquittement": None, "preuve_acquittement": None}


def depense(**changes: Any) -> DepenseExaminee:
    """A bill of 1 200,00 € VAT included, well inside 2022."""
    return DepenseExaminee(
        **{
            "poste": "prestations",
            "nature": "Formation des référents",
            "tiers_ref": "fournisseur-3",
            "piece_ref": "F-2022-118",
            "realisation": date(2022, 5, 31),
            "acquittement": date(2022, 6, 15),
            "preuve_acquittement": "releve_bancaire",
            "montant_ht_centimes": 100_000,
            "montant_ttc_centimes": 120_000,
            "tva_recuperable_centimes": 20_000,
            "montant_centimes": 100_000,
            "mise_en_concurrence_ref": "MEC-7",
            "documents": ("9f" * 32,),
            **changes,
        }
    )


def contexte(**changes: Any) -> Contexte:
    """An association, under FSE+, for the whole year 2022."""
    return Contexte(
        **{
            "reglement": "2021-2027",
            "periode": Periode(debut=date(2022, 1, 1), fin=date(2022, 12, 31)),
            "depose_le": date(2022, 3, 1),
            "cout_total_centimes": 10_000_000,
            "type_beneficiaire": "association",
            "modes": {"personnel": "reel", "prestations": "reel", "indirectes": "forfait"},
            **changes,
        }
    )


@dataclass(frozen=True)
class Cas:
    """A cost and its context; ``tests`` are those shown, all of them when it is empty."""

    titre: str
    tests: str = ""
    depense: dict[str, Any] = field(default_factory=dict)
    contexte: dict[str, Any] = field(default_factory=dict)


AVANT = {"reglement": "2014-2020"}
MOITIE = Cle(numerateur=1, denominateur=2, libelle="m²")


def cle(assiette: int) -> Cle:
    return Cle(numerateur=725, denominateur=4250, libelle="ETP", assiette_centimes=assiette)


def sans_montants(**changes: Any) -> dict[str, Any]:
    return {"montant_ht_centimes": None, "montant_ttc_centimes": None, **changes}


def corrigee(plafond: int) -> dict[str, Any]:
    return {
        "corrigee": DepenseCorrigee(
            piece_ref="F-1", plafond_centimes=plafond, regularise_centimes=-60_000
        )
    }


DATES = "engagement realisation programme acquittement"

COUTS = [
    Cas("Une facture saine"),
    Cas(
        "La même en 2014-2020, engagée à une date connue",
        f"{DATES} preuve_acquittement depot avenant poste temps_annee calcul tva",
        {"engagement": date(2022, 1, 1)},
        AVANT,
    ),
    Cas("Portée par un tiers", "lien_operation supportee", {"poste": "tiers"}),
    Cas(
        "Contribution en nature", f"supportee {DATES} preuve_acquittement tva", {"poste": "nature"}
    ),
    Cas("Un poste sans nom connu", "lien_operation poste", {"poste": "voyages"}),
    Cas("Sans document", "piece_presente", {"documents": ()}),
    Cas("Aide aux participants", "participants", {"poste": "participants"}),
    Cas(
        "Toutes les dates sont hors",
        DATES,
        {
            "engagement": date(2013, 12, 30),
            "realisation": date(2013, 12, 31),
            "acquittement": date(2023, 7, 1),
        },
        AVANT,
    ),
    Cas(
        "Payée avant que la période ne commence",
        "acquittement",
        {"acquittement": date(2021, 12, 31)},
    ),
    Cas(
        "Payée après le jour que fixe la convention",
        "acquittement",
        {},
        {"limite_acquittement": date(2022, 6, 1)},
    ),
    Cas("Pas payée", "acquittement preuve_acquittement", SANS_PAIEMENT),
    Cas(
        "Poste à coût simplifié",
        "acquittement preuve_acquittement poste",
        {"poste": "indirectes"},
    ),
    Cas(
        "État visé par le mauvais comptable",
        "preuve_acquittement",
        {"preuve_acquittement": "etat_vise_comptable_public"},
    ),
    Cas(
        "Bulletin de paie d’un fournisseur",
        "preuve_acquittement",
        {"preuve_acquittement": "bulletin_paie_plus_releve"},
    ),
    Cas("Preuve sans nom connu", "preuve_acquittement", {"preuve_acquittement": "attestation"}),
    Cas("Opération achevée", "depot", {}, {"fin_materielle": date(2022, 2, 28)}),
    Cas("Opération achevée en 2014-2020", "depot", {}, {**AVANT, "depose_le": date(2023, 1, 1)}),
    Cas("Après l’avenant", "avenant", {}, {"postes_ajoutes": {"prestations": date(2022, 5, 31)}}),
    Cas(
        "Avant l’avenant",
        "avenant",
        {},
        {**AVANT, "postes_ajoutes": {"prestations": date(2022, 6, 1)}},
    ),
    Cas("Une amende et un avocat", "nature", {"nature": "Avocat : recours contre une amende"}),
    Cas("Un avocat, puis un dividende", "nature", {"nature": "Avocat : partage d’un dividende"}),
    Cas("Une pénalité et un avocat", "nature", {"nature": "Avocat, pénalité de retard"}),
    Cas("Un avocat", "nature", {"nature": "Honoraires d’avocat"}),
    Cas(
        "Achat sous un marché",
        "mise_en_concurrence",
        {"marche_ref": "M-2022-4"},
        {"type_beneficiaire": "collectivite", "fournisseur_centimes": 300_000},
    ),
    Cas(
        "Achat public sans référence",
        "mise_en_concurrence",
        {"mise_en_concurrence_ref": None},
        {"type_beneficiaire": "etat"},
    ),
    Cas("Achat au seuil", "mise_en_concurrence", {"mise_en_concurrence_ref": None}),
    Cas(
        "Achat sous le seuil, seul le montant imputé est connu",
        "mise_en_concurrence",
        sans_montants(mise_en_concurrence_ref=None, montant_centimes=99_999),
    ),
    Cas(
        "Achat au seuil, toutes taxes comprises",
        "mise_en_concurrence",
        {"mise_en_concurrence_ref": None, "montant_ht_centimes": None, "montant_centimes": 1},
    ),
    Cas("Le calcul d’une clé", "calcul cle tva", {"cle": cle(586_207)}),
    Cas(
        "Une clé mal calculée, en 2014-2020",
        "calcul cle tva",
        {"cle": cle(600_000), "montant_centimes": 102_352},
        AVANT,
    ),
    Cas("Une clé sans assiette", "calcul cle", {"cle": MOITIE}),
    Cas("TVA : sous le seuil", "tva", {}, {"cout_total_centimes": 499_999_999}),
    Cas(
        "TVA : déclarée par qui ne la récupère pas",
        "tva",
        {},
        {**AVANT, "regime_tva": "non_recuperable"},
    ),
    Cas(
        "TVA : aucune par qui ne la récupère pas",
        "tva",
        {"tva_recuperable_centimes": None},
        {**AVANT, "regime_tva": "non_recuperable"},
    ),
    Cas("TVA : inconnue", "tva", {"tva_recuperable_centimes": None}, AVANT),
    Cas("TVA : imputée", "tva", {"montant_centimes": 100_001}, AVANT),
    Cas("TVA : au seuil", "tva", {}, {"cout_total_centimes": 500_000_000}),
    Cas(
        "Une régularisation qui tient",
        "acquittement preuve_acquittement mise_en_concurrence tva regularisation",
        {"regularisation": True, "montant_centimes": -60_000, **SANS_PAIEMENT},
        corrigee(60_000),
    ),
    Cas(
        "Une régularisation qui reprend trop",
        "regularisation",
        {"regularisation": True, "montant_centimes": -60_000},
        corrigee(59_999),
    ),
]


def presentation(ailleurs: str | None = None, **changes: Any) -> Presentation:
    base: dict[str, Any] = {
        "operation": ailleurs or "Cette opération",
        "ici": ailleurs is None,
        "piece_ref": "F-2022-118",
        "montant_centimes": 120_000,
    }
    return Presentation(**base | changes)


UNE = "Opération 202200008"
DOUBLES = "meme_fichier meme_piece"


def doublee(titre: str, *autres: Presentation, **changes: Any) -> Cas:
    """The same document and the same piece, elsewhere."""
    return Cas(titre, DOUBLES, changes, {"memes_fichiers": autres, "memes_pieces": autres})


DEUX_FOIS = [
    doublee("Présentée dans une autre opération", presentation(UNE)),
    doublee("Présentée deux fois dans celle-ci", presentation()),
    doublee("Présentée ici et ailleurs", presentation(), presentation(UNE), presentation("X")),
    doublee("Pour d’autres montants", presentation(UNE, montant_centimes=1)),
    doublee(
        "Partagée jusqu’au tout",
        presentation(UNE, part=Fraction(1, 2)),
        cle=MOITIE,
    ),
    doublee(
        "Partagée au-delà du tout",
        presentation(UNE, part=Fraction(51, 100)),
        cle=MOITIE,
    ),
    doublee(
        "Un document d’ensemble",
        *(presentation(piece_ref=f"F-{n}") for n in range(200, 221)),
    ),
    doublee(
        "Un document d’ensemble, montré en entier",
        *(presentation(piece_ref=f"F-{n}") for n in range(200, 220)),
    ),
]


def taux_horaire(heures: str = "612.50", **changes: Any) -> Temps:
    base: dict[str, Any] = {
        "methode": "taux_horaire",
        "cout_centimes": 4_321_560,
        "annee": 2022,
        "heures_operation": Decimal(heures),
        "heures_base": Decimal(1720),
        "justificatif": "releve_signe",
    }
    return Temps(**base | changes)


def mensuel(heures: str, **changes: Any) -> Temps:
    base: dict[str, Any] = {
        "methode": "temps_travaille",
        "cout_centimes": 300_000,
        "annee": 2022,
        "mois": 5,
        "heures_operation": Decimal(heures),
        "heures_base": Decimal(150),
        "justificatif": "logiciel_temps",
    }
    return Temps(**base | changes)


def fixe(**changes: Any) -> Temps:
    base: dict[str, Any] = {
        "methode": "pourcentage_fixe",
        "cout_centimes": 250_000,
        "annee": 2022,
        "mois": 5,
        "pourcentage": Decimal("12.5"),
        "justificatif": "lettre_mission",
        "accepte_le": date(2021, 12, 1),
    }
    return Temps(**base | changes)


def jours(*releve: tuple[int, str]) -> tuple[JourTravaille, ...]:
    return tuple(
        JourTravaille(jour=date(2022, 5, jour), heures=Decimal(combien)) for jour, combien in releve
    )


def salaire(titre: str, temps: Temps | None, *ailleurs: TempsAilleurs, **changes: Any) -> Cas:
    """A salary; the tests of time, and that of its amount."""
    tests = "temps_justifie temps_accepte temps_jour temps_mois temps_annee calcul"
    cout = {"poste": "personnel", "temps": temps, "montant_centimes": 1_538_928}
    return Cas(titre, tests, cout, {"temps_ailleurs": ailleurs, **changes})


def ailleurs(temps: Temps, operation: str = "Opération 2") -> TempsAilleurs:
    return TempsAilleurs(operation=operation, temps=temps)


SALAIRES = [
    salaire("Un salaire au taux horaire", taux_horaire()),
    salaire("Un salaire sans temps", None),
    salaire("Le taux horaire en 2014-2020", taux_horaire("700"), **AVANT),
    salaire("Un temps sans justificatif", mensuel("60", justificatif=None)),
    salaire("Un justificatif qui ne convient pas", mensuel("60", justificatif="fiche_poste")),
    salaire("Un justificatif sans nom connu", taux_horaire(justificatif="agenda")),
    salaire("Un pourcentage fixe", fixe()),
    salaire("Un pourcentage fixe sans accord", fixe(accepte_le=None)),
    salaire("Un pourcentage fixe accepté tard", fixe(accepte_le=date(2022, 5, 2))),
    salaire(
        "Un relevé jour par jour qui tient",
        mensuel("17", jours=jours((3, "7"), (4, "10"))),
    ),
    salaire(
        "Des jours trop longs",
        mensuel("21.75", jours=jours((3, "10.25"), (4, "11.5"))),
    ),
    salaire("Des jours d’un autre mois", mensuel("14", mois=6, jours=jours((3, "7"), (4, "7")))),
    salaire("Un total qui n’est pas celui des jours", mensuel("8", jours=jours((3, "7")))),
    salaire(
        "Le salaire et ses charges",
        mensuel("90", jours=jours((3, "9"), (4, "9"), (5, "72"))),
        ailleurs(
            mensuel("90", jours=jours((3, "9"), (4, "9"), (5, "72")), cout_centimes=126_000),
            "Cette opération",
        ),
    ),
    salaire(
        "Le salaire et ses charges, dont le justificatif est autre",
        mensuel("18", jours=jours((3, "9"), (4, "9"))),
        ailleurs(
            mensuel(
                "18",
                jours=jours((3, "9"), (4, "9")),
                cout_centimes=126_000,
                justificatif="releve_signe",
                accepte_le=date(2022, 1, 1),
            ),
            "Cette opération",
        ),
    ),
    salaire("Plus d’un temps plein sur un mois", mensuel("90"), ailleurs(mensuel("60.15"))),
    salaire("À l’année et au mois", taux_horaire("860"), ailleurs(mensuel("76"))),
    salaire("Plus d’heures que l’année", taux_horaire("1107.75"), ailleurs(taux_horaire())),
    salaire(
        "Plusieurs dépenses d’un même taux",
        taux_horaire("900"),
        ailleurs(taux_horaire("900", cout_centimes=1_000_000), "Cette opération"),
    ),
]

REPRIS = Cas(
    "Un temps repris d’un salaire",
    "temps_mois temps_annee calcul",
    {
        "poste": "personnel",
        "temps": mensuel("60"),
        "montant_centimes": -120_000,
        "regularisation": True,
    },
    {"temps_ailleurs": (ailleurs(mensuel("150")),)},
)

CAS = [*COUTS, *DEUX_FOIS, *SALAIRES, REPRIS]


def ecrire(constat: Constat) -> Iterator[str]:
    yield f"{constat.test} : {STATUTS[constat.statut]}, {constat.motif_code}"
    yield f"    {constat.article}"
    yield f"    {constat.message}"
    yield from (f"    - {valeur.nom} : {valeur.valeur}" for valeur in constat.valeurs)


def lire(cas: Cas) -> str:
    trouves = examiner(depense(**cas.depense), contexte(**cas.contexte))
    montres = [c for c in trouves if not cas.tests or c.test in cas.tests.split()]
    return "\n".join([f"# {cas.titre}", *(ligne for c in montres for ligne in ecrire(c))])


def test_the_published_reading_holds_every_case() -> None:
    if os.environ.get("OI_INSTANTANES"):
        PUBLIE.write_text("\n\n".join(map(lire, CAS)) + "\n", encoding="utf-8")
    titres = [ligne[2:] for ligne in PUBLIE.read_text("utf-8").splitlines() if ligne[:2] == "# "]
    assert titres == [cas.titre for cas in CAS]
    assert len(set(titres)) == len(titres)


@pytest.mark.parametrize("cas", CAS, ids=lambda cas: cas.titre)
def test_a_finding_reads_as_published(cas: Cas) -> None:
    publies = PUBLIE.read_text("utf-8").rstrip("\n").split("\n\n")
    [publie] = [p for p in publies if p.startswith(f"# {cas.titre}\n")]
    assert lire(cas) == publie, f"the reading changed; if it is meant: {RAFRAICHIR}"
