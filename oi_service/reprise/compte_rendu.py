"""What became of a list, line by line, in French: the same before writing and after."""

from collections.abc import Iterator, Sequence

from api.filters import entier, euros
from oi_service.reprise.importation import Resultat
from oi_service.reprise.lecture import LigneLue
from rules.reprise import LIBELLES

#: Lines named of each anomaly, and refused lines shown, unless all are asked for.
_PREMIERES = 10


def compte_rendu(resultat: Resultat, *, tout: bool) -> Iterator[str]:
    """Return the lines to print."""
    liste = resultat.liste
    yield f"{liste.fichier} (SHA-256 {liste.sha256})"
    yield ""
    yield from _totaux(resultat)
    yield from _anomalies(liste.lignes, tout=tout)
    yield from _refusees([x for x in liste.lignes if x.refusee], tout=tout)
    yield ""
    yield _conclusion(resultat)


def _totaux(resultat: Resultat) -> Iterator[str]:
    lignes = resultat.liste.lignes
    nouvelles = [ligne for ligne, _ in resultat.a_reprendre()]
    deja = [x for x in lignes if x.numero in resultat.deja.reprises]
    refusees = [x for x in lignes if x.refusee]
    ecrites = "Reprises" if resultat.outcome is not None else "À reprendre"
    yield f"{'':<16}{'Lignes':>8}{'Coût total éligible':>24}{'FSE':>22}"
    yield _somme("Lues", lignes)
    yield _somme(ecrites, nouvelles)
    yield _somme("  signalées", [x for x in nouvelles if x.anomalies])
    if resultat.rattachee:
        yield _somme("Déjà reprises", deja)
    yield _somme("Refusées", refusees)
    illisibles = sum(x.operation is None for x in refusees)
    if illisibles:
        yield f"{_compte(illisibles, 'ligne illisible compte', 'lignes illisibles comptent')} zéro."
    if resultat.deja.annulees:
        annulees = _compte(len(resultat.deja.annulees), "est annulée", "sont annulées")
        yield f"Des déjà reprises, {annulees} depuis : une reprise annulée ne se reprend pas."
    if not resultat.rattachee:
        yield (
            "Les opérations déjà reprises ne sont pas cherchées : donnez --subvention ou "
            "--hors-subvention."
        )


def _somme(titre: str, lignes: Sequence[LigneLue]) -> str:
    operations = [x.operation for x in lignes if x.operation]
    cout = euros(sum(o.cout_total_eligible for o in operations))
    fse = euros(sum(o.fse for o in operations))
    return f"{titre:<16}{entier(len(lignes)):>8}{cout:>24}{fse:>22}"


def _anomalies(lignes: Sequence[LigneLue], *, tout: bool) -> Iterator[str]:
    """Name the lines of each anomaly, those that it refuses too."""
    for code, libelle in LIBELLES.items():
        marquees = [(x.numero, a) for x in lignes for a in x.anomalies if a.code == code]
        if not marquees:
            continue
        if not tout and len(marquees) > _PREMIERES:
            suite = f" et {entier(len(marquees) - _PREMIERES)} autres (--tout les montre)"
        else:
            suite = ""
        montrees = marquees if tout else marquees[:_PREMIERES]
        numeros = ", ".join(str(numero) for numero, _ in montrees)
        modes = " ou ".join(sorted({a.mode for _, a in marquees}))
        compte = _compte(len(marquees), "ligne", "lignes")
        yield ""
        yield f"{libelle[0].upper()}{libelle[1:]} ({code}, à {modes}) : {compte}"
        yield f"  n° {numeros}{suite}"


def _refusees(lignes: Sequence[LigneLue], *, tout: bool) -> Iterator[str]:
    if not lignes:
        return
    yield ""
    yield "Lignes refusées :"
    for ligne in lignes if tout else lignes[:_PREMIERES]:
        for defaut in ligne.defauts:
            yield f"  ligne {ligne.numero}, {defaut}"
    if not tout and len(lignes) > _PREMIERES:
        yield f"  et {entier(len(lignes) - _PREMIERES)} autres (--tout les montre)"


def _conclusion(resultat: Resultat) -> str:
    """Say in one sentence what was done."""
    nouvelles = resultat.a_reprendre()
    compte = _compte(len(nouvelles), "opération", "opérations")
    fse = euros(sum(o.fse for _, o in nouvelles))
    refusees = sum(x.refusee for x in resultat.liste.lignes)
    reste = _compte(refusees, "ligne refusée", "lignes refusées")
    if resultat.outcome is None:
        return f"Aperçu : rien n’est enregistré ; {compte} à reprendre, {fse} de FSE, {reste}."
    if not resultat.outcome.events:
        return f"Rien de nouveau à reprendre : rien n’est enregistré, {reste}."
    positions = [e.position for e in resultat.outcome.events]
    return (
        f"Reprise enregistrée : {compte}, {fse} de FSE, événements n° {entier(min(positions))} à "
        f"{entier(max(positions))}, {reste}."
    )


def _compte(nombre: int, un: str, plusieurs: str) -> str:
    return f"{entier(nombre)} {plusieurs if nombre > 1 else un}"
