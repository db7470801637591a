"""An auditor draws from the dépenses of the OI, in a working file that the OI does not read."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from aggregates.audit import constats, dossier, echantillons, populations
from aggregates.audit.state import AUDIT, Echantillon
from aggregates.commande import Commande
from api import actions_audit as actions
from oi_service.application import Unit
from oi_service.demo.recit import Qui, Recit, identifiant
from oi_service.demo.reglement import AUTOMNE
from oi_service.money import euros

AUDITEUR = Qui("auditeur-1", "auditeur")
_GRAINE = "2022-10-24-17-03-41-08-29"
_ORIGINE = "Tirage public fictif du 24 octobre 2022, annoncé avant de figer les populations"
#: One dépense drawn in that many is wrong, for that part of its amount.
_FAUTIVES = 6
_PART_EN_ERREUR = 8


class RecitAudit(Recit):
    """The story of a working file."""

    def __init__(self, graine: int) -> None:
        """Begin once the second état de dépenses of 2022 is sent."""
        super().__init__(graine, "audit", date(2022, 10, 24))
        self.dossier = identifiant(graine, "audit")

    def sur_dossier(
        self,
        nom: str,
        decision: Callable[..., list[Any]],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add a command on the working file alone."""
        self.decide(nom, AUDITEUR, AUDIT, self.dossier, decision, modele, *contexte, **champs)

    def fige(self, nom: str, montant: str, **definition: str) -> UUID:
        """Freeze a population; return its identifier."""
        population_id = uuid5(self.cle(nom), "population")
        self.agit(
            nom,
            AUDITEUR,
            actions.figer_population,
            self.dossier,
            populations.FigerPopulation,
            population_id,
            definition=definition,
            montant=montant,
        )
        return population_id

    def tire(self, nom: str, population_id: UUID, **tirage: Any) -> UUID:
        """Draw a sample; return its identifier."""
        echantillon_id = uuid5(self.cle(nom), "echantillon")
        self.agit(
            nom,
            AUDITEUR,
            actions.tirer_echantillon,
            self.dossier,
            echantillons.TirerEchantillonAudit,
            echantillon_id,
            population_id=population_id,
            **tirage,
        )
        return echantillon_id

    def note(self, nom: str, echantillon_id: UUID) -> None:
        """Look at every dépense drawn that was not looked at yet."""
        self.passe(3)
        self.sur_dossier(
            nom,
            constats.noter,
            constats.NoterConstats,
            echantillon_id,
            constats=self.lu(echantillon_id, _constats),
        )

    def arrete(self, nom: str, echantillon_id: UUID) -> None:
        """Fix the result of a sample."""
        self.passe(1)
        self.sur_dossier(nom, constats.arreter, constats.ArreterResultat, echantillon_id)

    def lu(
        self, echantillon_id: UUID, lire: Callable[[Echantillon], object]
    ) -> Callable[[Unit], object]:
        """Return something of a sample, to be read when the day comes."""
        return lambda unit: lire(unit.get(AUDIT, self.dossier).echantillons[echantillon_id])


def _constats(echantillon: Echantillon) -> list[dict[str, str]]:
    reste = set(echantillon.sans_constat)
    return [
        {"depense_id": str(unite.depense_id)}
        | (
            {
                "erreur": euros(unite.montant_centimes // _PART_EN_ERREUR),
                "commentaire": "Une part du temps n’est pas justifiée",
            }
            if rang % _FAUTIVES == 1
            else {"erreur": "0.00", "commentaire": "Pièces vues, conformes"}
        )
        for rang, unite in enumerate(echantillon.tirage)
        if unite.depense_id in reste
    ]


def raconte_l_audit(graine: int) -> Recit:
    """Three populations, a method each; a draw extended, another replaced, a note corrected."""
    r = RecitAudit(graine)
    r.agit(
        "ouverture",
        AUDITEUR,
        actions.ouvrir_dossier,
        r.dossier,
        dossier.OuvrirDossierAudit,
        identifiant(graine, "subvention"),
        mission="Audit d’opérations de l’exercice comptable 2021-2022",
        organisme="Autorité d’audit fictive",
        reference="AUDIT-FICTIF-2022",
        perimetre="Dépenses du second état de dépenses de 2022, puis des opérations qu’il porte",
    )
    etat = r.fige("etat", "retenu", portee="etat_depenses", etat_no=AUTOMNE.etat_no)
    toutes = r.fige("toutes", "declare", portee="toutes")
    plie = r.fige("plie", "retenu", portee="plie", plie_id="sources")
    r.passe(1)
    public = {"graine": _GRAINE, "graine_origine": _ORIGINE}
    par_unites = r.tire("etat/tirage", etat, methode="mus", taille=10, **public)
    simple = r.tire("toutes/tirage", toutes, methode="simple", taille=6, **public)
    par_poste = r.tire(
        "plie/tirage", plie, methode="stratifie", taille=8, critere="poste", **public
    )
    r.note("etat/constats", par_unites)
    r.note("toutes/constats", simple)
    r.passe(1)
    etendu = r.tire(
        "toutes/extension",
        toutes,
        methode="simple",
        taille=12,
        etend=simple,
        motif="Une erreur trouvée dans le premier tirage",
    )
    par_montant = r.tire(
        "plie/second-tirage",
        plie,
        methode="stratifie",
        taille=8,
        critere="montant",
        bornes=["500.00", "1500.00"],
        repartition="montant",
        selection="mus",
        remplace=par_poste,
        motif="Le programme d’audit demande des strates de montant, et non de poste",
        **public,
    )
    r.note("toutes/constats-2", etendu)
    r.note("plie/constats", par_montant)
    r.passe(2)
    r.decide(
        "etat/correction",
        AUDITEUR,
        AUDIT,
        r.dossier,
        _corriger_le_premier,
        constats.CorrigerConstat,
        par_unites,
        erreur="0.00",
        commentaire="La feuille de temps manquante a été produite",
        motif="Pièce reçue après le premier examen",
    )
    for nom, echantillon_id in (
        ("etat", par_unites),
        ("toutes", etendu),
        ("plie", par_montant),
    ):
        r.arrete(f"{nom}/resultat", echantillon_id)
    r.passe(2)
    r.sur_dossier(
        "cloture",
        dossier.clore,
        dossier.CloreDossierAudit,
        conclusion="Les trois erreurs projetées sont transmises au rapport d’audit fictif",
    )
    return r


def _corriger_le_premier(
    ouvert: Any, commande: constats.CorrigerConstat, echantillon_id: UUID
) -> list[Any]:
    """Correct the first finding that bears an error."""
    notes = ouvert.echantillons[echantillon_id].constats
    fautive = next(i for i, constat in notes.items() if constat.erreur)
    return constats.corriger(ouvert, commande, echantillon_id, fautive)
