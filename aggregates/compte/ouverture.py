"""An account opens, is suspended and taken back, and closes for good."""

from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.compte.events import CompteFerme, CompteOuvert, CompteRetabli, CompteSuspendu
from aggregates.compte.state import Compte
from oi_service.errors import Conflict, Forbidden, RuleBroken


class CompteDejaOuvert(Conflict):
    """Un compte porte déjà l’identifiant « {identifiant} » : un identifiant ne sert qu’une fois."""


class CompteEstFerme(RuleBroken):
    """Le compte « {identifiant} » est fermé pour toujours : ouvrez-en un autre."""


class CompteNonOuvert(RuleBroken):
    """Le compte « {identifiant} » est suspendu : rétablissez-le d’abord."""


class CompteNonSuspendu(RuleBroken):
    """Le compte « {identifiant} » n’est pas suspendu : il n’y a rien à rétablir."""


class SonPropreCompte(Forbidden):
    """Un administrateur ne change ni ses propres rôles ni l’état de son propre compte : un autre
    administrateur le fait.
    """


class DernierAdministrateur(RuleBroken):
    """« {identifiant} » est le dernier administrateur : donnez d’abord ce rôle à quelqu’un d’autre,
    sinon plus personne n’ouvre de compte.
    """


class OuvrirCompte(Commande):
    """Open an account. ``identifiant`` is drawn by the service, and says nothing of the person."""

    identifiant: Code


def ouvrir(compte: Compte | None, commande: OuvrirCompte) -> list[CompteOuvert]:
    """Open; an identifier serves once, even when its account is closed."""
    if compte is not None:
        raise CompteDejaOuvert(identifiant=commande.identifiant)
    return [
        CompteOuvert(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            identifiant=commande.identifiant,
        )
    ]


class ChangerEtatCompte(CommandeMotivee):
    """Suspend an account, take it back, or close it."""


def exiger_autrui(compte: Compte, par: str) -> None:
    """Refuse that somebody changes their own rights."""
    if compte.identifiant == par:
        raise SonPropreCompte


def exiger_non_ferme(compte: Compte) -> None:
    """Refuse any act on an account that is closed."""
    if compte.statut == "ferme":
        raise CompteEstFerme(identifiant=compte.identifiant)


def exiger_remplacant(compte: Compte, *, dernier_administrateur: bool) -> None:
    """Refuse to leave the OI without administrator."""
    if dernier_administrateur:
        raise DernierAdministrateur(identifiant=compte.identifiant)


def suspendre(
    compte: Compte, commande: ChangerEtatCompte, par: str, *, dernier_administrateur: bool
) -> list[CompteSuspendu]:
    """Suspend: nobody comes in by this account until it is taken back."""
    exiger_autrui(compte, par)
    exiger_non_ferme(compte)
    if compte.statut == "suspendu":
        return []
    exiger_remplacant(compte, dernier_administrateur=dernier_administrateur)
    return [
        CompteSuspendu(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]


def retablir(compte: Compte, commande: ChangerEtatCompte, par: str) -> list[CompteRetabli]:
    """Take back an account that was suspended, with the roles that it had."""
    exiger_autrui(compte, par)
    exiger_non_ferme(compte)
    if compte.statut != "suspendu":
        raise CompteNonSuspendu(identifiant=compte.identifiant)
    return [
        CompteRetabli(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]


def fermer(
    compte: Compte, commande: ChangerEtatCompte, par: str, *, dernier_administrateur: bool
) -> list[CompteFerme]:
    """Close for good: the log keeps the identifier, nobody bears it again."""
    exiger_autrui(compte, par)
    exiger_non_ferme(compte)
    exiger_remplacant(compte, dernier_administrateur=dernier_administrateur)
    return [
        CompteFerme(date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes())
    ]
