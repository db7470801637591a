"""Pages of administrators: accounts, roles, ways in; and the traces, for auditors too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from aggregates.compte import ouverture, roles
from api.deps import EcritureOuverte, Lecture, LectureOuverte, ServiceOuvert, personne
from api.droits import ADMINISTRATEUR, ROLES
from api.gestion_comptes import (
    Entrees,
    EntreesOuvertes,
    FiltresComptes,
    Gestion,
    IdentiteDuCompte,
    OuvertureDeCompte,
)
from api.mes_acces import filtres_des_traces
from api.pages.compte import RoleVu, role_vu
from api.pages.ecriture import majuscule
from api.pages.formulaires import (
    Defaut,
    Formulaire,
    FormulaireRecu,
    SaisieRefusee,
    page,
    vers,
    version_vue,
)
from api.pages.presence import dire_le_role, qui_lit
from api.porte import Acteur, Personne
from api.tableaux import liens
from oi_service import clock
from oi_service.acces.acces import DUREE_ACTIVATION, Fiche
from oi_service.acces.traces import NATURES, Nature, Trace
from oi_service.dates import Jour
from oi_service.errors import IdempotencyKeyReused, Refusal
from oi_service.ids import new_id
from projections import comptes as projection
from projections.comptes import CompteLu, PlieConnu
from projections.histoire import ROLES as LIBELLES
from projections.journal import EvenementLu, journal

router = APIRouter(prefix="/administration")

_COMPTES = "/administration/comptes"
_STATUTS = {"ouvert": "Ouvert", "suspendu": "Suspendu", "ferme": "Fermé"}
_FAITS = {
    "role": "Le rôle est attribué.",
    "retrait": "Le rôle est retiré.",
    "mise": "La mise à disposition est notée.",
    "levee": "La mise à disposition est levée.",
    "suspension": "Le compte est suspendu : ses sessions et ses jetons ne valent plus rien.",
    "retablissement": "Le compte est rétabli.",
    "fermeture": "Le compte est fermé.",
    "identite": "Le nom et le courriel sont rectifiés.",
    "second_facteur": "Le second facteur est retiré : la personne en installera un autre.",
    "sessions": "Ses sessions sont fermées : la personne peut se reconnecter.",
    "effacement": "La personne est effacée : plus rien ici ne dit qui elle était.",
}

Identifiant = Annotated[Acteur, Path()]


# --- The list ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneCompte:
    """An account in the list."""

    identifiant: str
    lien: str
    fiche: Fiche | None
    statut: str
    marque: str
    roles: str


def _ligne(compte: CompteLu, fiche: Fiche | None) -> LigneCompte:
    aujourdhui = clock.today()
    tenus = [dire_le_role(r.role, r.plies) for r in compte.roles if r.en_vigueur(aujourdhui)]
    return LigneCompte(
        compte.identifiant,
        f"{_COMPTES}/{compte.identifiant}",
        fiche,
        _STATUTS[compte.statut],
        _marque(compte.statut),
        ", ".join(dict.fromkeys(tenus)),
    )


def _marque(statut: str) -> str:
    return {"ouvert": "information", "suspendu": "attention", "ferme": "grave"}[statut]


@router.get("/comptes", name="page_comptes")
def page_comptes(
    request: Request,
    lecture: Lecture,
    entrees: EntreesOuvertes,
    recherche: Annotated[str, Query(max_length=200)] = "",
    statut: str = "",
    role: str = "",
) -> HTMLResponse:
    """Affiche les comptes."""
    filtres = FiltresComptes(recherche.strip(), statut or None, role or None)
    trouves = entrees.comptes(lecture.conn, filtres)
    return page(
        request,
        "comptes.html",
        lignes=[_ligne(compte, fiche) for compte, fiche in trouves],
        recherche=recherche,
        statut=statut,
        role=role,
        statuts=list(_STATUTS.items()),
        roles=_choix_de_roles(),
        fichiers=liens(
            "/exports/comptes", {"recherche": recherche.strip(), "statut": statut, "role": role}
        ),
    )


def _choix_de_roles() -> list[tuple[str, str]]:
    return [(role, majuscule(LIBELLES[role])) for role in ROLES]


# --- A new account -------------------------------------------------------------------------------


@router.get("/comptes/nouveau", name="page_ouvrir_compte")
def page_ouvrir_compte(request: Request) -> HTMLResponse:
    """Affiche le formulaire d’ouverture d’un compte."""
    return page(request, "compte_nouveau.html", cle=new_id(), nom="", courriel="")


@dataclass(frozen=True, slots=True)
class Saisie:
    """A form about accounts: what was typed, and what administrators may do."""

    request: Request
    service: ServiceOuvert
    par: Personne
    saisi: Formulaire
    entrees: Entrees

    @property
    def ouverture(self) -> Gestion:
        """Return a pen for an account that does not exist yet; its key came with the form."""
        return self._gestion(None)

    @property
    def gestion(self) -> Gestion:
        """Return a pen for an account as the form showed it.

        Raises: FormulaireSansVersion.
        """
        return self._gestion(version_vue(self.saisi.texte("version")))

    def _gestion(self, version: int | None) -> Gestion:
        try:
            cle = TypeAdapter(UUID).validate_python(self.saisi.texte("cle"))
        except ValueError:
            cle = new_id()
        plume = EcritureOuverte(
            journal=self.service.journal,
            personne=self.par,
            cle=cle,
            request=self.request,
            response=Response(),
            if_match=version,
        )
        return Gestion(plume, self.entrees)


async def saisie(
    request: Request,
    service: ServiceOuvert,
    par: Annotated[Personne, Depends(personne)],
    saisi: FormulaireRecu,
    entrees: EntreesOuvertes,
) -> Saisie:
    """Read a form about accounts."""
    return Saisie(request, service, par, saisi, entrees)


SaisieRecue = Annotated[Saisie, Depends(saisie)]


@router.post("/comptes/nouveau", name="ouvrir_un_compte")
def ouvrir_un_compte(request: Request, recue: SaisieRecue) -> HTMLResponse:
    """Ouvre un compte, et montre une fois son code d’activation."""
    saisi = recue.saisi
    try:
        demande = saisi.lire(
            OuvertureDeCompte,
            date_effet=clock.today().isoformat(),
            nom=saisi.texte("nom"),
            courriel=saisi.texte("courriel"),
        )
        ouvert = recue.ouverture.ouvrir(demande, _COMPTES)
    except IdempotencyKeyReused:
        # Found again in the history of the browser, and filled in for somebody else.
        deja = SaisieRefusee([Defaut(_FORMULAIRE_SERVI)])
        return _page_d_ouverture(request, saisi, deja, cle=str(new_id()))
    except (SaisieRefusee, Refusal) as refus:
        return _page_d_ouverture(request, saisi, refus, cle=saisi.texte("cle"))
    return _montrer_le_code(request, ouvert.identifiant, ouvert.code, "Compte ouvert")


_FORMULAIRE_SERVI = (
    "Ce formulaire a déjà ouvert un compte : envoyez-le de nouveau pour en ouvrir un autre."
)


def _page_d_ouverture(
    request: Request, saisi: Formulaire, refus: Refusal | SaisieRefusee, cle: str
) -> HTMLResponse:
    return page(
        request,
        "compte_nouveau.html",
        refus,
        cle=cle,
        nom=saisi.texte("nom"),
        courriel=saisi.texte("courriel"),
    )


def _montrer_le_code(
    request: Request, identifiant: str, code: str | None, titre: str
) -> HTMLResponse:
    return page(
        request,
        "code_activation.html",
        titre=titre,
        identifiant=identifiant,
        code=code,
        heures=int(DUREE_ACTIVATION.total_seconds()) // 3600,
    )


# --- One account ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoleGere:
    """A role that may be taken back."""

    id: UUID
    vu: RoleVu


@router.get("/comptes/{identifiant}", name="page_un_compte")
def page_un_compte(
    request: Request,
    identifiant: Identifiant,
    lecture: Lecture,
    entrees: EntreesOuvertes,
    fait: str = "",
) -> HTMLResponse:
    """Affiche un compte : rôles, employeurs, accès, histoire."""
    return _page_du_compte(request, identifiant, lecture, entrees, fait=_FAITS.get(fait))


def _page_du_compte(
    request: Request,
    identifiant: str,
    lecture: LectureOuverte,
    entrees: Entrees,
    refus: Refusal | SaisieRefusee | None = None,
    saisi: Formulaire | None = None,
    fait: str | None = None,
) -> HTMLResponse:
    compte = projection.compte(lecture.conn, identifiant)
    fiche = entrees.fiche(identifiant)
    plies = projection.plies_connus(lecture.conn)
    histoire = journal(
        lecture.conn, lecture.perimetre, flux=compte.stream_id, limite=_ACTES_MONTRES
    )
    return page(
        request,
        "compte_fiche.html",
        refus,
        compte=compte,
        fiche=fiche,
        titre=fiche.nom if fiche else identifiant,
        statut=_STATUTS[compte.statut],
        marque=_marque(compte.statut),
        soi=entrees.par.acteur == identifiant,
        roles=[RoleGere(r.attribution_id, role_vu(r)) for r in compte.roles],
        mises=compte.mises,
        choix_roles=_choix_de_roles(),
        choix_plies=[(plie.plie_id, _dire_le_plie(plie)) for plie in plies],
        histoire=[_acte(lu) for lu in histoire.lignes],
        cle=new_id(),
        saisi={nom: saisi.texte(nom) if saisi else "" for nom in _CHAMPS},
        plies_choisis=saisi.liste("plies") if saisi else [],
        aujourdhui=clock.today().isoformat(),
        fait=fait,
    )


_CHAMPS = ("role", "du", "au", "plie_id", "mise_du", "mise_au", "motif", "nom", "courriel")
_ACTES_MONTRES = 200


def _dire_le_plie(plie: PlieConnu) -> str:
    return f"{plie.nom} ({plie.plie_id})"


@dataclass(frozen=True, slots=True)
class ActeDuCompte:
    """A line of the history of an account."""

    le: date
    acteur: str
    phrase: str
    motif: str | None


def _acte(lu: EvenementLu) -> ActeDuCompte:
    return ActeDuCompte(clock.jour(lu.enregistre_le), lu.acteur, lu.phrase, lu.motif)


def _faire(
    recue: Saisie, identifiant: str, lecture: LectureOuverte, fait: str, acte: Callable[[], object]
) -> Response:
    """Do an act of a form, then go back to the account; refused, show it with what is wrong."""
    try:
        acte()
    except (SaisieRefusee, Refusal) as refus:
        return _page_du_compte(
            recue.request, identifiant, lecture, recue.entrees, refus, recue.saisi
        )
    return vers(f"{_COMPTES}/{identifiant}", fait=fait)


@router.post("/comptes/{identifiant}/roles", name="attribuer_un_role")
def attribuer_un_role(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Attribue un rôle."""
    saisi = recue.saisi

    def acte() -> None:
        demande = saisi.lire(
            roles.AttribuerRole,
            date_effet=clock.today().isoformat(),
            role=saisi.texte("role"),
            plies=saisi.liste("plies"),
            du=saisi.texte("du"),
            au=saisi.texte("au"),
        )
        recue.gestion.attribuer_role(identifiant, demande)

    return _faire(recue, identifiant, lecture, "role", acte)


@router.post("/comptes/{identifiant}/roles/{attribution_id}/retrait", name="retirer_un_role")
def retirer_un_role(
    identifiant: Identifiant, attribution_id: UUID, recue: SaisieRecue, lecture: Lecture
) -> Response:
    """Retire un rôle."""

    def acte() -> None:
        demande = recue.saisi.lire(roles.RetirerRole, **_motive(recue))
        recue.gestion.retirer_role(identifiant, attribution_id, demande)

    return _faire(recue, identifiant, lecture, "retrait", acte)


@router.post("/comptes/{identifiant}/mises-a-disposition", name="noter_une_mise_a_disposition")
def noter_une_mise_a_disposition(
    identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture
) -> Response:
    """Note une mise à disposition."""
    saisi = recue.saisi

    def acte() -> None:
        demande = saisi.lire(
            roles.NoterMiseADisposition,
            date_effet=clock.today().isoformat(),
            plie_id=saisi.texte("plie_id"),
            du=saisi.texte("mise_du"),
            au=saisi.texte("mise_au"),
        )
        recue.gestion.noter_mise_a_disposition(identifiant, demande)

    return _faire(recue, identifiant, lecture, "mise", acte)


@router.post(
    "/comptes/{identifiant}/mises-a-disposition/{mise_id}/levee",
    name="lever_une_mise_a_disposition",
)
def lever_une_mise_a_disposition(
    identifiant: Identifiant, mise_id: UUID, recue: SaisieRecue, lecture: Lecture
) -> Response:
    """Lève une mise à disposition."""

    def acte() -> None:
        demande = recue.saisi.lire(roles.LeverMiseADisposition, **_motive(recue))
        recue.gestion.lever_mise_a_disposition(identifiant, mise_id, demande)

    return _faire(recue, identifiant, lecture, "levee", acte)


def _motive(recue: Saisie) -> Mapping[str, Any]:
    return {"date_effet": clock.today().isoformat(), "motif": recue.saisi.texte("motif")}


@router.post("/comptes/{identifiant}/suspension", name="suspendre_un_compte")
def suspendre_un_compte(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Suspend un compte."""
    return _faire(
        recue,
        identifiant,
        lecture,
        "suspension",
        lambda: recue.gestion.suspendre(identifiant, _changement(recue)),
    )


@router.post("/comptes/{identifiant}/retablissement", name="retablir_un_compte")
def retablir_un_compte(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Rétablit un compte."""
    return _faire(
        recue,
        identifiant,
        lecture,
        "retablissement",
        lambda: recue.gestion.retablir(identifiant, _changement(recue)),
    )


@router.post("/comptes/{identifiant}/fermeture", name="fermer_un_compte")
def fermer_un_compte(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Ferme un compte."""
    return _faire(
        recue,
        identifiant,
        lecture,
        "fermeture",
        lambda: recue.gestion.fermer(identifiant, _changement(recue)),
    )


def _changement(recue: Saisie) -> ouverture.ChangerEtatCompte:
    return recue.saisi.lire(ouverture.ChangerEtatCompte, **_motive(recue))


# --- Ways in -------------------------------------------------------------------------------------


@router.post("/comptes/{identifiant}/identite", name="rectifier_une_identite")
def rectifier_une_identite(
    identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture
) -> Response:
    """Rectifie un nom et un courriel ; un compte sans accès en reçoit un, avec son code."""
    saisi = recue.saisi
    codes: list[str | None] = []

    def acte() -> None:
        demande = saisi.lire(
            IdentiteDuCompte, nom=saisi.texte("nom"), courriel=saisi.texte("courriel")
        )
        codes.append(recue.entrees.rectifier(identifiant, demande))

    reponse = _faire(recue, identifiant, lecture, "identite", acte)
    if codes and codes[0] is not None:
        return _montrer_le_code(recue.request, identifiant, codes[0], "Accès enregistré")
    return reponse


@router.post("/comptes/{identifiant}/reactivation", name="reactiver_un_compte")
def reactiver_un_compte(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Oublie un mot de passe, et montre une fois un nouveau code d’activation."""
    try:
        code = recue.entrees.reactiver(identifiant)
    except Refusal as refus:
        return _page_du_compte(recue.request, identifiant, lecture, recue.entrees, refus)
    return _montrer_le_code(recue.request, identifiant, code, "Nouveau code d’activation")


@router.post("/comptes/{identifiant}/second-facteur/retrait", name="retirer_un_second_facteur")
def retirer_un_second_facteur(
    identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture
) -> Response:
    """Retire un second facteur perdu."""
    return _faire(
        recue,
        identifiant,
        lecture,
        "second_facteur",
        lambda: recue.entrees.retirer_second_facteur(identifiant),
    )


@router.post("/comptes/{identifiant}/sessions/fermeture", name="fermer_des_sessions")
def fermer_des_sessions(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Ferme les sessions d’un compte."""
    return _faire(
        recue,
        identifiant,
        lecture,
        "sessions",
        lambda: recue.entrees.fermer_sessions(identifiant),
    )


@router.post("/comptes/{identifiant}/effacement", name="effacer_un_compte")
def effacer_un_compte(identifiant: Identifiant, recue: SaisieRecue, lecture: Lecture) -> Response:
    """Efface la personne d’un compte fermé."""
    return _faire(
        recue, identifiant, lecture, "effacement", lambda: recue.entrees.effacer(identifiant)
    )


# --- Traces --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TraceVue:
    """A trace as it is read."""

    trace: Trace
    nature: str
    qui: str
    lien: str | None
    details: str


#: What the details of a trace are called; those that are not here say nothing to a person.
_DETAILS = {
    "raison": "raison",
    "moyen": "par",
    "code": "motif",
    "methode": "",
    "chemin": "",
    "compte": "compte",
    "roles": "rôles",
    "sessions": "sessions",
    "sessions_fermees": "sessions fermées",
    "fournisseur": "fournisseur",
}
_VALEURS = {
    "mot_de_passe": "mot de passe",
    "compte_inconnu": "compte inconnu",
    "compte_non_ouvert": "compte suspendu ou fermé",
    "code": "code",
    "code_secours": "code de secours",
}
_TRACES_PAR_PAGE = 50


@router.get("/traces", name="page_traces")
def page_traces(
    request: Request,
    service: ServiceOuvert,
    nature: str = "",
    identifiant: Annotated[str, Query(max_length=64)] = "",
    jour: Annotated[str, Query(max_length=10)] = "",
    avant: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Affiche les traces des accès."""
    refus, lu = None, None
    try:
        lu = TypeAdapter(Jour).validate_python(jour) if jour else None
    except ValueError:
        refus = SaisieRefusee([Defaut("Ce jour ne se lit pas : AAAA-MM-JJ.", "jour")])
    lues = service.acces.traces(
        filtres_des_traces(_nature(nature), identifiant.strip() or None, lu),
        avant=avant,
        limite=_TRACES_PAR_PAGE,
    )
    noms = {f.identifiant: f.nom for f in service.acces.fiches()}
    identite = qui_lit(request)
    gere = identite is not None and any(a.role == ADMINISTRATEUR for a in identite.attributions)
    return page(
        request,
        "traces.html",
        refus,
        traces=[_trace(t, noms, gere=gere) for t in lues.traces],
        suivant=lues.suivant,
        natures=[(n, majuscule(dit)) for n, dit in NATURES.items()],
        nature=nature,
        identifiant=identifiant,
        jour=jour,
        premiere=avant is None,
        fichiers=liens(
            "/exports/traces",
            {"nature": _nature(nature), "identifiant": identifiant.strip(), "jour": lu},
        ),
    )


def _nature(demandee: str) -> Nature | None:
    return next((nature for nature in NATURES if nature == demandee), None)


def _trace(trace: Trace, noms: Mapping[str, str], *, gere: bool) -> TraceVue:
    qui = trace.identifiant or ""
    # Whoever was erased, and whoever only administers the machine, has no page.
    lien = f"{_COMPTES}/{qui}" if gere and qui in noms else None
    return TraceVue(
        trace, majuscule(NATURES[trace.nature]), noms.get(qui, ""), lien, _details(trace)
    )


def _details(trace: Trace) -> str:
    dits = []
    for nom, titre in _DETAILS.items():
        valeur = trace.objet.get(nom)
        if valeur is None or (nom == "compte" and valeur == trace.identifiant):
            continue
        dite = ", ".join(valeur) if isinstance(valeur, list) else str(valeur)
        dite = _VALEURS.get(dite, dite)
        dits.append(f"{titre} : {dite}" if titre else dite)
    return " · ".join(dits)
