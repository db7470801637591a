"""How persons come in: accounts, sessions, tokens, and the traces of all that.

One facade for every door. What a person may do is not here but in the log, as facts of their
account; it is read again at each request, so that what is taken back stops at once.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pyotp
from psycopg import Connection
from psycopg.rows import TupleRow, class_row, dict_row

from oi_service import clock
from oi_service.acces import traces as carnet
from oi_service.acces.frein import Frein, reseau
from oi_service.acces.identite import Attribution, Identite
from oi_service.acces.mots_de_passe import MotsDePasse, exiger_acceptable
from oi_service.acces.refus import (
    ActivationRefusee,
    CodeRefuse,
    CompteDejaEnregistre,
    CompteSansAcces,
    CourrielDejaPris,
    CourrielIllisible,
    DureeDeJetonRefusee,
    IdentifiantsRefuses,
    JetonAbsent,
    JetonSansRole,
    MotDePasseRefuse,
    RemplacementNonConfirme,
    SecondFacteurAbsent,
    SecondFacteurNonPrepare,
    SessionAbsente,
)
from oi_service.acces.second_facteur import (
    CoffreDesSeconds,
    SecondFacteurPrepare,
    pas_du_code,
    preparer,
)
from oi_service.acces.secrets import (
    PREFIXE_JETON,
    empreinte,
    empreinte_de_code,
    tirer_code,
    tirer_identifiant,
    tirer_jeton,
)
from oi_service.acces.traces import FiltresTraces, Nature, PageTraces, lisible
from oi_service.ids import new_id
from oi_service.personnes.coffre import Coffre
from oi_service.recorder import Connections
from oi_service.settings import Settings

#: Roles that move money, or that open the door to others: a password alone is not enough for them.
ROLES_A_SECOND_FACTEUR = frozenset(
    {"valideur_oi", "ordonnateur_oi", "comptable_oi", "administrateur"}
)
#: How long an activation code waits for its person.
DUREE_ACTIVATION = timedelta(hours=72)
#: How long a right password waits for the second factor.
DUREE_ATTENTE = timedelta(minutes=5)
#: The instant of the last sign of a session, or of a token, is written that often at most.
_GRAIN = timedelta(minutes=1)
#: Where somebody came from is remembered that long, with the session that they opened there.
_MEMOIRE = timedelta(days=90)
CODES_DE_SECOURS = 10
JETON_MAX = timedelta(days=365)
_COURRIEL_MAX = 254
_AGENT_MAX = 300
_NOM_MAX = 200

# The roles and the employers of today, of the account that the query calls ``c``.
_DROITS = """
    (
        SELECT coalesce(
            jsonb_agg(jsonb_build_array(r.role, r.plies) ORDER BY r.position, r.attribution_id),
            '[]')
        FROM projection.compte_role AS r
        WHERE r.identifiant = c.identifiant
            AND r.du <= %(jour)s AND (r.au IS NULL OR r.au >= %(jour)s)
    ) AS roles,
    ARRAY(
        SELECT m.plie_id FROM projection.compte_mise_a_disposition AS m
        WHERE m.identifiant = c.identifiant
            AND m.du <= %(jour)s AND (m.au IS NULL OR m.au >= %(jour)s)
    ) AS detachee_par
"""
_SESSION = f"""
    SELECT
        s.id, s.vue_le, s.renforcee_le, c.identifiant, c.nom,
        c.second_facteur IS NOT NULL AS a_second_facteur, {_DROITS}
    FROM acces.session AS s
    INNER JOIN acces.compte AS c ON s.identifiant = c.identifiant
    INNER JOIN projection.compte AS p ON c.identifiant = p.identifiant
    WHERE s.empreinte = %(empreinte)s AND NOT s.en_attente AND s.fermee_le IS NULL
        AND s.expire_le > %(instant)s AND s.vue_le > %(vue_apres)s AND p.statut = 'ouvert'
"""  # noqa: S608 - our own text
_JETON = f"""
    SELECT
        j.id, j.dernier_usage, j.roles AS du_jeton, j.lecture_seule, c.identifiant, c.nom,
        c.second_facteur IS NOT NULL AS a_second_facteur, {_DROITS}
    FROM acces.jeton AS j
    INNER JOIN acces.compte AS c ON j.identifiant = c.identifiant
    INNER JOIN projection.compte AS p ON c.identifiant = p.identifiant
    WHERE j.empreinte = %(empreinte)s AND j.revoque_le IS NULL AND j.expire_le > %(instant)s
        AND p.statut = 'ouvert'
"""  # noqa: S608 - our own text
_ENTRANT = """
    SELECT
        c.identifiant, c.mot_de_passe, c.second_facteur IS NOT NULL AS a_second_facteur,
        coalesce(p.statut = 'ouvert', false) AS ouvert,
        EXISTS (
            SELECT FROM acces.session AS s
            WHERE s.identifiant = c.identifiant AND s.reseau = %(reseau)s AND NOT s.en_attente
        ) AS connu,
        EXISTS (
            SELECT FROM projection.compte_role AS r
            WHERE r.identifiant = c.identifiant AND r.role = 'administrateur'
                AND r.du <= %(jour)s AND (r.au IS NULL OR r.au >= %(jour)s)
        ) AS administre
    FROM acces.compte AS c LEFT JOIN projection.compte AS p ON c.identifiant = p.identifiant
"""


@dataclass(frozen=True, slots=True)
class Reglages:
    """What an operator chooses; docs/exploitation.md says it.

    Without ``connexion_locale``, persons come in by a provider, and only administrators by a
    password: the service must not close when the provider does.
    """

    inactivite: timedelta = timedelta(minutes=30)
    duree: timedelta = timedelta(hours=12)
    renforcement: timedelta = timedelta(minutes=5)
    traces: timedelta = timedelta(days=365)
    connexion_locale: bool = True

    @classmethod
    def de(cls, settings: Settings) -> "Reglages":
        """Read them from the environment."""
        return cls(
            inactivite=timedelta(minutes=settings.session_inactivite_minutes),
            duree=timedelta(hours=settings.session_duree_heures),
            renforcement=timedelta(minutes=settings.renforcement_minutes),
            traces=timedelta(days=settings.traces_jours),
            # Without a provider, a password is the only way in.
            connexion_locale=settings.connexion_locale == "oui" or settings.oidc_emetteur is None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ouverture:
    """A session, and its token, which is told once.

    With ``second_facteur_demande``, it opens nothing yet: `terminer_connexion` gives another token.
    """

    jeton: str = field(repr=False)
    session_id: UUID
    identifiant: str
    expire_le: datetime
    second_facteur_demande: bool = False


@dataclass(frozen=True, slots=True)
class SessionOuverte:
    """A session as its person sees it."""

    id: UUID
    ouverte_le: datetime
    vue_le: datetime
    expire_le: datetime
    adresse: str
    agent: str


@dataclass(frozen=True, slots=True)
class JetonConnu:
    """A token as its person sees it: all but the token."""

    id: UUID
    nom: str
    roles: list[str]
    lecture_seule: bool
    cree_le: datetime
    expire_le: datetime
    dernier_usage: datetime | None


@dataclass(frozen=True, slots=True)
class Fiche:
    """What is known of the access of an account; ``statut`` is ``None`` when the log has none."""

    identifiant: str
    courriel: str
    nom: str
    statut: str | None
    roles: list[str]
    actif: bool  #: a password was chosen
    activation_expire_le: datetime | None
    second_facteur: bool
    codes_secours: int  #: that remain
    derniere_connexion: datetime | None


@dataclass(frozen=True, slots=True)
class Purge:
    """What a night dropped."""

    traces: int
    sessions: int
    activations: int
    jetons: int


@dataclass(frozen=True, slots=True)
class _Entrant:
    identifiant: str
    mot_de_passe: str | None = field(repr=False)
    a_second_facteur: bool
    ouvert: bool
    connu: bool
    administre: bool


class Acces:
    """The one door to the schema ``acces``."""

    def __init__(
        self,
        pool: Connections,
        coffre: Coffre,
        reglages: Reglages | None = None,
        mots: MotsDePasse | None = None,
    ) -> None:
        """Work on a pool of the application's role; ``coffre`` keeps the keys of second factors."""
        self._pool = pool
        self._seconds = CoffreDesSeconds(coffre)
        self._mots = mots or MotsDePasse()
        self._frein = Frein(pool)
        self.reglages = reglages or Reglages()

    # --- Accounts --------------------------------------------------------------------------------

    @staticmethod
    def tirer_identifiant() -> str:
        """Draw what the log will call a person."""
        return tirer_identifiant()

    def enregistrer(
        self,
        identifiant: str,
        courriel: str,
        nom: str,
        *,
        par: str | None = None,
        adresse: str = "",
    ) -> str:
        """Record how a person comes in; return their activation code, told once.

        Raises: CompteDejaEnregistre, CourrielDejaPris, CourrielIllisible.
        """
        lu = lire_courriel(courriel)
        with self._pool.connection() as conn, conn.transaction():
            try:
                conn.execute(
                    "INSERT INTO acces.compte (identifiant, courriel, nom, cree_le) "
                    "VALUES (%s, %s, %s, %s)",
                    (identifiant, lu, _nom(nom), clock.now()),
                )
            except psycopg.errors.UniqueViolation as connu:
                # What the database says quotes the address.
                if connu.diag.constraint_name == "compte_courriel":
                    raise CourrielDejaPris from None
                raise CompteDejaEnregistre(identifiant=identifiant) from None
            except psycopg.errors.CheckViolation:
                # A capital too recent for one of the two that fold it.
                raise CourrielIllisible from None
            code = _nouvelle_activation(conn, identifiant)
            _tracer_pour(conn, "acces_enregistre", identifiant, par, adresse)
        return code

    def rectifier(
        self,
        identifiant: str,
        *,
        courriel: str | None = None,
        nom: str | None = None,
        par: str | None = None,
        adresse: str = "",
    ) -> None:
        """Correct the e-mail address or the name of a person.

        Raises: CompteSansAcces, CourrielDejaPris, CourrielIllisible.
        """
        lu = None if courriel is None else lire_courriel(courriel)
        with self._pool.connection() as conn, conn.transaction():
            try:
                done = conn.execute(
                    "UPDATE acces.compte SET courriel = coalesce(%s, courriel), "
                    "nom = coalesce(%s, nom) WHERE identifiant = %s",
                    (lu, None if nom is None else _nom(nom), identifiant),
                )
            except psycopg.errors.UniqueViolation:
                raise CourrielDejaPris from None
            except psycopg.errors.CheckViolation:
                raise CourrielIllisible from None
            if not done.rowcount:
                raise CompteSansAcces(identifiant=identifiant)
            _tracer_pour(conn, "acces_rectifie", identifiant, par, adresse)

    def activer(self, courriel: str, code: str, mot_de_passe: str, *, adresse: str = "") -> str:
        """Choose a password with the activation code; return the account.

        Raises: TropDEssais, ActivationRefusee, MotDePasseRefuse (the code then still serves).
        """
        lu = _plier_courriel(courriel)
        entrant = self._chercher(lu, adresse)
        tentative = self._frein.prendre("activation", lu, adresse, connu=_connu(entrant))
        try:
            identifiant = self._activer(lu, code, mot_de_passe, adresse)
        except ActivationRefusee:
            self.tracer(
                "activation_refusee", entrant.identifiant if entrant else None, adresse=adresse
            )
            raise
        except MotDePasseRefuse:
            self._frein.rendre(tentative)
            raise
        self._frein.rendre(tentative)
        return identifiant

    def _activer(self, courriel: str, code: str, mot_de_passe: str, adresse: str) -> str:
        with self._pool.connection() as conn, conn.transaction():
            # Held first: whoever sends the same code meanwhile waits, and finds it gone.
            row = conn.execute(
                "SELECT identifiant, nom FROM acces.compte WHERE courriel = %s FOR UPDATE",
                (courriel,),
            ).fetchone()
            identifiant, nom = row or (None, "")
            done = conn.execute(
                "DELETE FROM acces.activation "
                "WHERE identifiant = %s AND empreinte = %s AND expire_le > %s",
                (identifiant, empreinte_de_code(code), clock.now()),
            )
            if identifiant is None or not done.rowcount:
                raise ActivationRefusee
            exiger_acceptable(mot_de_passe, courriel, nom)
            _poser_mot_de_passe(conn, identifiant, self._mots.hacher(mot_de_passe))
            _fermer(conn, identifiant, "mot_de_passe")
            carnet.ecrire(conn, "activation", identifiant, adresse=adresse)
        return str(identifiant)

    def reactiver(self, identifiant: str, *, par: str | None = None, adresse: str = "") -> str:
        """Forget the password, close the sessions, and return a new activation code.

        Raises: CompteSansAcces.
        """
        with self._pool.connection() as conn, conn.transaction():
            _poser_mot_de_passe(conn, identifiant, None)
            _fermer(conn, identifiant, "reactivation")
            code = _nouvelle_activation(conn, identifiant)
            _tracer_pour(conn, "reactivation", identifiant, par, adresse)
        return code

    def effacer(self, identifiant: str, *, par: str | None = None, adresse: str = "") -> bool:
        """Forget a person: name, address, secrets, sessions, tokens. Return whether there was one.

        What they did stays in the log, and their comings in the traces for a time, under an
        identifier that nobody knows any more.
        """
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute("DELETE FROM acces.compte WHERE identifiant = %s", (identifiant,))
            if done.rowcount:
                _tracer_pour(conn, "acces_efface", identifiant, par, adresse)
        self._seconds.detruire(identifiant)
        return bool(done.rowcount)

    def fiches(self, identifiants: Collection[str] | None = None) -> list[Fiche]:
        """Return what is known of some accounts, of all by default."""
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=class_row(Fiche)) as cursor,
        ):
            return cursor.execute(
                """
                SELECT
                    c.identifiant, c.courriel, c.nom, p.statut,
                    ARRAY(
                        SELECT DISTINCT r.role FROM projection.compte_role AS r
                        WHERE r.identifiant = c.identifiant
                            AND r.du <= %(jour)s AND (r.au IS NULL OR r.au >= %(jour)s)
                        ORDER BY r.role
                    ) AS roles,
                    c.mot_de_passe IS NOT NULL AS actif,
                    a.expire_le AS activation_expire_le,
                    c.second_facteur IS NOT NULL AS second_facteur,
                    (
                        SELECT count(*) FROM acces.code_secours AS s
                        WHERE s.identifiant = c.identifiant AND s.utilise_le IS NULL
                    ) AS codes_secours,
                    (
                        SELECT max(s.ouverte_le) FROM acces.session AS s
                        WHERE s.identifiant = c.identifiant AND NOT s.en_attente
                    ) AS derniere_connexion
                FROM acces.compte AS c
                LEFT JOIN projection.compte AS p ON c.identifiant = p.identifiant
                LEFT JOIN acces.activation AS a
                    ON c.identifiant = a.identifiant AND a.expire_le > %(instant)s
                WHERE %(identifiants)s::text [] IS NULL OR c.identifiant = ANY(%(identifiants)s)
                ORDER BY c.identifiant
                """,
                {
                    "jour": clock.today(),
                    "instant": clock.now(),
                    "identifiants": None if identifiants is None else list(identifiants),
                },
            ).fetchall()

    def fiche(self, identifiant: str) -> Fiche:
        """Return what is known of an account.

        Raises: CompteSansAcces.
        """
        found = self.fiches([identifiant])
        if not found:
            raise CompteSansAcces(identifiant=identifiant)
        return found[0]

    # --- Coming in -------------------------------------------------------------------------------

    def connecter(
        self, courriel: str, mot_de_passe: str, code: str | None = None, *, adresse: str, agent: str
    ) -> Ouverture:
        """Open a session; with a second factor and no code yet, one that awaits it.

        ``code``: of the application, or a recovery code.
        Raises: TropDEssais, IdentifiantsRefuses.
        """
        lu = _plier_courriel(courriel)
        entrant = self._chercher(lu, adresse)
        tentative = self._frein.prendre("connexion", lu, adresse, connu=_connu(entrant))
        garde = None if entrant is None else entrant.mot_de_passe
        juste = self._mots.verifier(garde, mot_de_passe)
        local = self.reglages.connexion_locale or (entrant is not None and entrant.administre)
        if entrant is None or not juste or not entrant.ouvert or not local:
            raison = "mot_de_passe" if not juste else "compte_non_ouvert"
            if juste and not local:
                raison = "connexion_locale_fermee"
            self.tracer(
                "connexion_refusee",
                None if entrant is None else entrant.identifiant,
                adresse=adresse,
                objet={
                    "raison": "compte_inconnu" if entrant is None else raison,
                    "attente": round(tentative.attente.total_seconds()),
                },
            )
            raise IdentifiantsRefuses
        self._frein.rendre(tentative)
        assert garde is not None
        if self._mots.a_rehacher(garde):
            self._rehacher(entrant.identifiant, garde, mot_de_passe)
        if not entrant.a_second_facteur:
            return self._ouvrir(entrant.identifiant, adresse, agent, moyen="mot_de_passe")
        ouverture = self._attendre(entrant.identifiant, adresse, agent)
        if code is None:
            return ouverture
        return self.terminer_connexion(ouverture.jeton, code, adresse=adresse)

    def terminer_connexion(self, jeton: str, code: str, *, adresse: str) -> Ouverture:
        """Give the second factor that a session awaits; return the session, under a new token.

        Raises: TropDEssais, IdentifiantsRefuses.
        """
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT s.id, s.identifiant FROM acces.session AS s "
                "INNER JOIN projection.compte AS p ON s.identifiant = p.identifiant "
                "WHERE s.empreinte = %s AND s.en_attente AND s.fermee_le IS NULL "
                "AND s.expire_le > %s AND p.statut = 'ouvert'",
                (empreinte(jeton), clock.now()),
            ).fetchone()
        if row is None:
            raise IdentifiantsRefuses
        session_id, identifiant = row
        moyen = self._exiger_code(identifiant, code, adresse, secours=True)
        if moyen is None:
            self.tracer("connexion_refusee", identifiant, adresse=adresse, objet={"raison": "code"})
            raise IdentifiantsRefuses
        neuf, instant = tirer_jeton(), clock.now()
        expire_le = instant + self.reglages.duree
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute(
                """
                UPDATE acces.session SET
                    empreinte = %(neuf)s, en_attente = false, ouverte_le = %(instant)s,
                    vue_le = %(instant)s, renforcee_le = %(instant)s, expire_le = %(expire_le)s
                WHERE id = %(id)s AND en_attente AND fermee_le IS NULL
                """,
                {
                    "neuf": empreinte(neuf),
                    "instant": instant,
                    "expire_le": expire_le,
                    "id": session_id,
                },
            )
            if not done.rowcount:
                raise IdentifiantsRefuses
            carnet.ecrire(
                conn,
                "connexion",
                identifiant,
                adresse=adresse,
                objet={"session": str(session_id), "moyen": moyen},
            )
        return Ouverture(
            jeton=neuf, session_id=session_id, identifiant=identifiant, expire_le=expire_le
        )

    def ouvrir_par_fournisseur(
        self,
        identifiant: str,
        *,
        fournisseur: str,
        renforcee: bool,
        adresse: str,
        agent: str,
        preuve: Mapping[str, object] | None = None,
    ) -> Ouverture:
        """Open a session for whom an identity provider vouches.

        ``renforcee``: it says that it asked for two factors a moment ago. ``preuve``: how it says
        that they proved who they are, for the traces.
        Raises: IdentifiantsRefuses when the account is not open.
        """
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT 1 FROM acces.compte AS c "
                "INNER JOIN projection.compte AS p ON c.identifiant = p.identifiant "
                "WHERE c.identifiant = %s AND p.statut = 'ouvert'",
                (identifiant,),
            ).fetchone()
        if row is None:
            self.tracer(
                "connexion_refusee",
                identifiant,
                adresse=adresse,
                objet={"raison": "compte_non_ouvert", "fournisseur": fournisseur},
            )
            raise IdentifiantsRefuses
        return self._ouvrir(
            identifiant, adresse, agent, moyen=fournisseur, renforcee=renforcee, preuve=preuve
        )

    def _chercher(self, courriel: str, adresse: str) -> _Entrant | None:
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=class_row(_Entrant)) as cursor,
        ):
            return cursor.execute(
                _ENTRANT + "WHERE c.courriel = %(courriel)s",
                {"courriel": courriel, "reseau": reseau(adresse), "jour": clock.today()},
            ).fetchone()

    def _rehacher(self, identifiant: str, garde: str, mot_de_passe: str) -> None:
        neuf = self._mots.hacher(mot_de_passe)
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE acces.compte SET mot_de_passe = %s "
                "WHERE identifiant = %s AND mot_de_passe = %s",
                (neuf, identifiant, garde),
            )

    def _attendre(self, identifiant: str, adresse: str, agent: str) -> Ouverture:
        with self._pool.connection() as conn:
            return _inserer_session(
                conn, identifiant, adresse, agent, DUREE_ATTENTE, en_attente=True
            )

    def _ouvrir(
        self,
        identifiant: str,
        adresse: str,
        agent: str,
        *,
        moyen: str,
        renforcee: bool = False,
        preuve: Mapping[str, object] | None = None,
    ) -> Ouverture:
        with self._pool.connection() as conn, conn.transaction():
            ouverture = _inserer_session(
                conn, identifiant, adresse, agent, self.reglages.duree, renforcee=renforcee
            )
            carnet.ecrire(
                conn,
                "connexion",
                identifiant,
                adresse=adresse,
                objet={**(preuve or {}), "session": str(ouverture.session_id), "moyen": moyen},
            )
        return ouverture

    # --- Sessions --------------------------------------------------------------------------------

    def identite_de_session(self, jeton: str, adresse: str = "") -> Identite | None:
        """Return who a session token is, and what they may act as today; ``None`` if it is over."""
        instant = clock.now()
        row = self._lire_identite(
            _SESSION,
            {
                "empreinte": empreinte(jeton),
                "instant": instant,
                "vue_apres": instant - self.reglages.inactivite,
                "jour": clock.today(),
            },
        )
        if row is None:
            return None
        if row["vue_le"] <= instant - _GRAIN:
            with self._pool.connection() as conn:
                conn.execute(
                    "UPDATE acces.session SET vue_le = %s, adresse = %s WHERE id = %s",
                    (instant, _adresse(adresse), row["id"]),
                )
        renforcee_le = row["renforcee_le"]
        return _identite(
            row,
            row["roles"],
            moyen="session",
            renforcee=renforcee_le is not None
            and renforcee_le > instant - self.reglages.renforcement,
            session_id=row["id"],
        )

    def session_connue(self, jeton: str) -> UUID | None:
        """Return the session of a token, open or over; ``None`` for what never opened one."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT id FROM acces.session WHERE empreinte = %s AND NOT en_attente",
                (empreinte(jeton),),
            ).fetchone()
        return None if row is None else row[0]

    def titulaire(self, session_id: UUID) -> str | None:
        """Return whose session it is, or was while it is remembered."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT identifiant FROM acces.session WHERE id = %s AND NOT en_attente",
                (session_id,),
            ).fetchone()
        return None if row is None else row[0]

    def deconnecter(self, jeton: str, *, adresse: str = "") -> None:
        """Close the session of a token; nothing when it is already closed."""
        with self._pool.connection() as conn, conn.transaction():
            row = conn.execute(
                "UPDATE acces.session SET fermee_le = %s, fermeture = 'deconnexion' "
                "WHERE empreinte = %s AND fermee_le IS NULL RETURNING id, identifiant",
                (clock.now(), empreinte(jeton)),
            ).fetchone()
            if row is not None:
                carnet.ecrire(
                    conn,
                    "deconnexion",
                    row[1],
                    adresse=adresse,
                    objet={"session": str(row[0])},
                )

    def sessions(self, identifiant: str) -> list[SessionOuverte]:
        """Return the sessions of an account that are open, the last seen first."""
        instant = clock.now()
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=class_row(SessionOuverte)) as cursor,
        ):
            return cursor.execute(
                "SELECT id, ouverte_le, vue_le, expire_le, adresse, agent FROM acces.session "
                "WHERE identifiant = %s AND NOT en_attente AND fermee_le IS NULL "
                "AND expire_le > %s AND vue_le > %s ORDER BY vue_le DESC, id",
                (identifiant, instant, instant - self.reglages.inactivite),
            ).fetchall()

    def fermer_session(
        self, identifiant: str, session_id: UUID, *, par: str | None = None, adresse: str = ""
    ) -> None:
        """Close a session of an account.

        Raises: SessionAbsente.
        """
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute(
                "UPDATE acces.session SET fermee_le = %s, fermeture = 'demande' "
                "WHERE id = %s AND identifiant = %s AND fermee_le IS NULL",
                (clock.now(), session_id, identifiant),
            )
            if not done.rowcount:
                raise SessionAbsente
            _tracer_pour(
                conn, "session_fermee", identifiant, par, adresse, {"session": str(session_id)}
            )

    def fermer_toutes(
        self,
        identifiant: str,
        sauf: UUID | None = None,
        *,
        par: str | None = None,
        adresse: str = "",
    ) -> int:
        """Close the sessions of an account, but one; return how many."""
        with self._pool.connection() as conn, conn.transaction():
            fermees = _fermer(conn, identifiant, "demande", sauf)
            if fermees:
                _tracer_pour(
                    conn, "session_fermee", identifiant, par, adresse, {"sessions": fermees}
                )
        return fermees

    def renforcer(self, session_id: UUID, code: str, *, adresse: str = "") -> None:
        """Prove the second factor again, for what asks for it.

        Raises: SessionAbsente, TropDEssais, SecondFacteurAbsent, CodeRefuse.
        """
        identifiant = self._titulaire(session_id)
        if self._exiger_code(identifiant, code, adresse, secours=False) is None:
            self.tracer(
                "renforcement_refuse",
                identifiant,
                adresse=adresse,
                objet={"session": str(session_id)},
            )
            raise CodeRefuse
        with self._pool.connection() as conn, conn.transaction():
            conn.execute(
                "UPDATE acces.session SET renforcee_le = %s WHERE id = %s",
                (clock.now(), session_id),
            )
            carnet.ecrire(
                conn,
                "renforcement",
                identifiant,
                adresse=adresse,
                objet={"session": str(session_id)},
            )

    def renouveler(self, session_id: UUID) -> str:
        """Give a session another token, told once; the one that it had opens nothing any more.

        Raises: SessionAbsente.
        """
        neuf = tirer_jeton()
        with self._pool.connection() as conn:
            done = conn.execute(
                "UPDATE acces.session SET empreinte = %s "
                "WHERE id = %s AND NOT en_attente AND fermee_le IS NULL",
                (empreinte(neuf), session_id),
            )
        if not done.rowcount:
            raise SessionAbsente
        return neuf

    def _titulaire(self, session_id: UUID) -> str:
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT identifiant FROM acces.session "
                "WHERE id = %s AND NOT en_attente AND fermee_le IS NULL",
                (session_id,),
            ).fetchone()
        if row is None:
            raise SessionAbsente
        return str(row[0])

    # --- Second factor ---------------------------------------------------------------------------

    def preparer_second_facteur(self, identite: Identite) -> SecondFacteurPrepare:
        """Draw a second factor, told once; it counts once `installer_second_facteur` saw a code.

        Raises: SessionAbsente, RemplacementNonConfirme, CompteSansAcces.
        """
        _exiger_session(identite)
        fiche = self.fiche(identite.identifiant)
        if fiche.second_facteur and not identite.renforcee:
            raise RemplacementNonConfirme
        secret = pyotp.random_base32()
        ferme = self._seconds.fermer(identite.identifiant, secret)
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE acces.compte SET second_facteur_prepare = %s WHERE identifiant = %s",
                (ferme, identite.identifiant),
            )
        return preparer(secret, fiche.courriel)

    def installer_second_facteur(
        self, identite: Identite, code: str, *, adresse: str = ""
    ) -> tuple[str, ...]:
        """Install what was prepared, on the proof of a code; return the recovery codes, told once.

        Raises: SessionAbsente, TropDEssais, SecondFacteurNonPrepare, RemplacementNonConfirme,
        CodeRefuse.
        """
        _exiger_session(identite)
        identifiant = identite.identifiant
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT second_facteur_prepare, second_facteur IS NOT NULL FROM acces.compte "
                "WHERE identifiant = %s",
                (identifiant,),
            ).fetchone()
        if row is None or row[0] is None:
            raise SecondFacteurNonPrepare
        prepare, deja = row
        if deja and not identite.renforcee:
            raise RemplacementNonConfirme
        tentative = self._frein.prendre("code", identifiant, adresse, connu=True)
        pas = pas_du_code(self._seconds.ouvrir(identifiant, prepare), code, clock.now())
        if pas is None:
            raise CodeRefuse
        self._frein.rendre(tentative)
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute(
                "UPDATE acces.compte SET second_facteur = second_facteur_prepare, "
                "second_facteur_prepare = NULL, second_facteur_pas = %s "
                "WHERE identifiant = %s AND second_facteur_prepare = %s",
                (pas, identifiant, prepare),
            )
            if not done.rowcount:
                raise SecondFacteurNonPrepare
            codes = _nouveaux_codes(conn, identifiant)
            conn.execute(
                "UPDATE acces.session SET renforcee_le = %s WHERE id = %s",
                (clock.now(), identite.session_id),
            )
            _fermer(conn, identifiant, "second_facteur", identite.session_id)
            carnet.ecrire(conn, "second_facteur_installe", identifiant, adresse=adresse)
        return codes

    def renouveler_codes_secours(self, identite: Identite, *, adresse: str = "") -> tuple[str, ...]:
        """Draw other recovery codes; those of before serve no more.

        Raises: SessionAbsente, SecondFacteurAbsent, RemplacementNonConfirme.
        """
        _exiger_session(identite)
        if not self.fiche(identite.identifiant).second_facteur:
            raise SecondFacteurAbsent
        if not identite.renforcee:
            raise RemplacementNonConfirme
        with self._pool.connection() as conn, conn.transaction():
            codes = _nouveaux_codes(conn, identite.identifiant)
            carnet.ecrire(conn, "codes_secours_tires", identite.identifiant, adresse=adresse)
        return codes

    def retirer_second_facteur(
        self, identifiant: str, *, par: str | None = None, adresse: str = ""
    ) -> None:
        """Take away a second factor that is lost, and close the sessions: for an administrator.

        Raises: CompteSansAcces.
        """
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute(
                "UPDATE acces.compte SET second_facteur = NULL, second_facteur_prepare = NULL, "
                "second_facteur_pas = NULL WHERE identifiant = %s",
                (identifiant,),
            )
            if not done.rowcount:
                raise CompteSansAcces(identifiant=identifiant)
            conn.execute("DELETE FROM acces.code_secours WHERE identifiant = %s", (identifiant,))
            _fermer(conn, identifiant, "second_facteur")
            _tracer_pour(conn, "second_facteur_retire", identifiant, par, adresse)

    def _exiger_code(
        self, identifiant: str, code: str, adresse: str, *, secours: bool
    ) -> str | None:
        """Judge a code; return which kind served, ``None`` when it is refused.

        Raises: TropDEssais, SecondFacteurAbsent.
        """
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            found = cursor.execute(
                "SELECT c.second_facteur, EXISTS (SELECT FROM acces.session AS s "
                "WHERE s.identifiant = c.identifiant AND s.reseau = %s AND NOT s.en_attente) "
                "AS connu FROM acces.compte AS c WHERE c.identifiant = %s",
                (reseau(adresse), identifiant),
            ).fetchone()
        if found is None or found["second_facteur"] is None:
            raise SecondFacteurAbsent
        tentative = self._frein.prendre("code", identifiant, adresse, connu=found["connu"])
        secret = self._seconds.ouvrir(identifiant, found["second_facteur"])
        moyen = self._consommer_code(identifiant, secret, code)
        if moyen is None and secours:
            moyen = self._consommer_secours(identifiant, code)
        if moyen is not None:
            self._frein.rendre(tentative)
        return moyen

    def _consommer_code(self, identifiant: str, secret: str, code: str) -> str | None:
        pas = pas_du_code(secret, code, clock.now())
        if pas is None:
            return None
        with self._pool.connection() as conn:
            done = conn.execute(
                "UPDATE acces.compte SET second_facteur_pas = %(pas)s "
                "WHERE identifiant = %(identifiant)s AND coalesce(second_facteur_pas, 0) < %(pas)s",
                {"pas": pas, "identifiant": identifiant},
            )
        return "code" if done.rowcount else None

    def _consommer_secours(self, identifiant: str, code: str) -> str | None:
        with self._pool.connection() as conn:
            done = conn.execute(
                "UPDATE acces.code_secours SET utilise_le = %s "
                "WHERE identifiant = %s AND empreinte = %s AND utilise_le IS NULL",
                (clock.now(), identifiant, empreinte_de_code(code)),
            )
        return "code_secours" if done.rowcount else None

    # --- Password --------------------------------------------------------------------------------

    def changer_mot_de_passe(
        self, identite: Identite, ancien: str, nouveau: str, *, adresse: str = ""
    ) -> None:
        """Change a password on the proof of the old one, and close the other sessions.

        Raises: TropDEssais, IdentifiantsRefuses, MotDePasseRefuse.
        """
        identifiant = identite.identifiant
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT courriel, nom, mot_de_passe FROM acces.compte WHERE identifiant = %s",
                (identifiant,),
            ).fetchone()
        courriel, nom, garde = row or ("", "", None)
        tentative = self._frein.prendre("mot_de_passe", identifiant, adresse, connu=True)
        if not self._mots.verifier(garde, ancien):
            self.tracer("mot_de_passe_refuse", identifiant, adresse=adresse)
            raise IdentifiantsRefuses
        self._frein.rendre(tentative)
        exiger_acceptable(nouveau, courriel, nom)
        neuf = self._mots.hacher(nouveau)
        with self._pool.connection() as conn, conn.transaction():
            _poser_mot_de_passe(conn, identifiant, neuf)
            fermees = _fermer(conn, identifiant, "mot_de_passe", identite.session_id)
            carnet.ecrire(
                conn,
                "mot_de_passe_change",
                identifiant,
                adresse=adresse,
                objet={"sessions_fermees": fermees},
            )

    # --- Tokens ----------------------------------------------------------------------------------

    def creer_jeton(
        self,
        identite: Identite,
        nom: str,
        roles: Iterable[str],
        duree: timedelta,
        *,
        lecture_seule: bool,
        adresse: str = "",
    ) -> str:
        """Create a token for a program; return it, told once.

        Raises: JetonSansRole, DureeDeJetonRefusee.
        """
        voulus = sorted(set(roles))
        tenus = {a.role for a in identite.attributions}
        en_trop = [role for role in voulus if role not in tenus]
        if en_trop or not voulus:
            raise JetonSansRole(roles=", ".join(en_trop) or "aucun rôle n’est demandé")
        if not timedelta(days=1) <= duree <= JETON_MAX:
            raise DureeDeJetonRefusee(jours=JETON_MAX.days)
        jeton, instant, jeton_id = tirer_jeton(PREFIXE_JETON), clock.now(), new_id()
        with self._pool.connection() as conn, conn.transaction():
            conn.execute(
                "INSERT INTO acces.jeton "
                "(id, empreinte, identifiant, nom, roles, lecture_seule, cree_le, expire_le) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    jeton_id,
                    empreinte(jeton),
                    identite.identifiant,
                    _nom(nom),
                    voulus,
                    lecture_seule,
                    instant,
                    instant + duree,
                ),
            )
            carnet.ecrire(
                conn,
                "jeton_cree",
                identite.identifiant,
                adresse=adresse,
                objet={"jeton": str(jeton_id), "roles": voulus, "lecture_seule": lecture_seule},
            )
        return jeton

    def identite_de_jeton(self, jeton: str) -> Identite | None:
        """Return who a program acts for, in the roles of its token that they still hold."""
        if not jeton.startswith(PREFIXE_JETON):
            return None
        instant = clock.now()
        row = self._lire_identite(
            _JETON, {"empreinte": empreinte(jeton), "instant": instant, "jour": clock.today()}
        )
        if row is None:
            return None
        if row["dernier_usage"] is None or row["dernier_usage"] <= instant - _GRAIN:
            with self._pool.connection() as conn:
                conn.execute(
                    "UPDATE acces.jeton SET dernier_usage = %s WHERE id = %s", (instant, row["id"])
                )
        roles = [(role, plies) for role, plies in row["roles"] if role in row["du_jeton"]]
        return _identite(row, roles, moyen="jeton", lecture_seule=row["lecture_seule"])

    def jetons(self, identifiant: str) -> list[JetonConnu]:
        """Return the tokens of an account that serve, the last made first."""
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=class_row(JetonConnu)) as cursor,
        ):
            return cursor.execute(
                "SELECT id, nom, roles, lecture_seule, cree_le, expire_le, dernier_usage "
                "FROM acces.jeton WHERE identifiant = %s AND revoque_le IS NULL AND expire_le > %s "
                "ORDER BY cree_le DESC, id",
                (identifiant, clock.now()),
            ).fetchall()

    def revoquer_jeton(
        self, identifiant: str, jeton_id: UUID, *, par: str | None = None, adresse: str = ""
    ) -> None:
        """Revoke a token of an account.

        Raises: JetonAbsent.
        """
        with self._pool.connection() as conn, conn.transaction():
            done = conn.execute(
                "UPDATE acces.jeton SET revoque_le = %s "
                "WHERE id = %s AND identifiant = %s AND revoque_le IS NULL",
                (clock.now(), jeton_id, identifiant),
            )
            if not done.rowcount:
                raise JetonAbsent
            _tracer_pour(conn, "jeton_revoque", identifiant, par, adresse, {"jeton": str(jeton_id)})

    def _lire_identite(self, query: str, params: Mapping[str, object]) -> dict[str, Any] | None:
        with (
            self._pool.connection() as conn,
            conn.cursor(row_factory=dict_row) as cursor,
        ):
            return cursor.execute(query.encode(), params, prepare=True).fetchone()

    # --- Traces ----------------------------------------------------------------------------------

    def tracer(
        self,
        nature: Nature,
        identifiant: str | None,
        *,
        role: str | None = None,
        adresse: str | None = None,
        objet: Mapping[str, object] | None = None,
    ) -> None:
        """Add a trace; ``objet`` holds neither a secret nor a name."""
        with self._pool.connection() as conn:
            carnet.ecrire(conn, nature, identifiant, role=role, adresse=adresse, objet=objet)

    def traces(
        self, filtres: FiltresTraces | None = None, *, avant: int | None = None, limite: int = 100
    ) -> PageTraces:
        """Read the traces, the last ones first."""
        with self._pool.connection() as conn:
            return carnet.lire(conn, filtres or FiltresTraces(), avant, limite)

    def purger(self) -> Purge:
        """Drop what has been kept long enough."""
        instant = clock.now()
        with self._pool.connection() as conn, conn.transaction():
            traces = carnet.purger(conn, self.reglages.traces)
            sessions = conn.execute(
                "DELETE FROM acces.session WHERE coalesce(fermee_le, expire_le) < %s "
                "OR (en_attente AND expire_le < %s)",
                (instant - _MEMOIRE, instant),
            ).rowcount
            activations = conn.execute(
                "DELETE FROM acces.activation WHERE expire_le < %s", (instant,)
            ).rowcount
            jetons = conn.execute(
                "DELETE FROM acces.jeton WHERE coalesce(revoque_le, expire_le) < %s",
                (instant - self.reglages.traces,),
            ).rowcount
            # All that they counted has faded.
            conn.execute(
                "DELETE FROM acces.frein WHERE dernier_le < %s", (instant - timedelta(days=7),)
            )
        return Purge(traces, sessions, activations, jetons)


# --- What several acts share ---------------------------------------------------------------------


def lire_courriel(courriel: str) -> str:
    """Return an e-mail address as it is kept.

    Raises: CourrielIllisible.
    """
    lu = _plier_courriel(courriel)
    avant, arobase, domaine = lu.partition("@")
    correct = avant and arobase and "." in domaine.strip(".") and "@" not in domaine
    if not correct or len(lu) > _COURRIEL_MAX or re.search(r"[\s\ufffd]", lu):
        raise CourrielIllisible
    return lu


def _plier_courriel(courriel: str) -> str:
    # A stranger writes anything; what the database cannot hold is the address of nobody.
    return lisible(unicodedata.normalize("NFC", courriel.strip()).lower(), _COURRIEL_MAX + 1)


def _nom(nom: str) -> str:
    return lisible(nom.strip(), _NOM_MAX)


def _adresse(adresse: str) -> str:
    return lisible(adresse, carnet.LONGUEUR_ADRESSE)


def _exiger_session(identite: Identite) -> None:
    """Refuse a token where only the person, in front of us, may act."""
    if identite.session_id is None:
        raise SessionAbsente


def _connu(entrant: _Entrant | None) -> bool:
    return entrant is not None and entrant.connu


def _nouvelle_activation(conn: Connection[TupleRow], identifiant: str) -> str:
    code, instant = tirer_code(), clock.now()
    conn.execute(
        """
        INSERT INTO acces.activation (identifiant, empreinte, cree_le, expire_le)
        VALUES (%(identifiant)s, %(empreinte)s, %(instant)s, %(expire_le)s)
        ON CONFLICT (identifiant) DO UPDATE SET
            empreinte = excluded.empreinte, cree_le = excluded.cree_le,
            expire_le = excluded.expire_le
        """,
        {
            "identifiant": identifiant,
            "empreinte": empreinte_de_code(code),
            "instant": instant,
            "expire_le": instant + DUREE_ACTIVATION,
        },
    )
    return code


def _nouveaux_codes(conn: Connection[TupleRow], identifiant: str) -> tuple[str, ...]:
    conn.execute("DELETE FROM acces.code_secours WHERE identifiant = %s", (identifiant,))
    codes = tuple(tirer_code() for _ in range(CODES_DE_SECOURS))
    conn.execute(
        "INSERT INTO acces.code_secours (identifiant, empreinte) SELECT %s, unnest(%s::bytea[])",
        (identifiant, [empreinte_de_code(code) for code in codes]),
    )
    return codes


def _poser_mot_de_passe(conn: Connection[TupleRow], identifiant: str, garde: str | None) -> None:
    done = conn.execute(
        "UPDATE acces.compte SET mot_de_passe = %s WHERE identifiant = %s", (garde, identifiant)
    )
    if not done.rowcount:
        raise CompteSansAcces(identifiant=identifiant)


def _inserer_session(
    conn: Connection[TupleRow],
    identifiant: str,
    adresse: str,
    agent: str,
    duree: timedelta,
    *,
    en_attente: bool = False,
    renforcee: bool = False,
) -> Ouverture:
    jeton, session_id, instant = tirer_jeton(), new_id(), clock.now()
    conn.execute(
        """
        INSERT INTO acces.session (
            id, empreinte, identifiant, en_attente, ouverte_le, vue_le, expire_le, renforcee_le,
            adresse, reseau, agent)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            session_id,
            empreinte(jeton),
            identifiant,
            en_attente,
            instant,
            instant,
            instant + duree,
            instant if renforcee else None,
            _adresse(adresse),
            _adresse(reseau(adresse)),
            lisible(agent, _AGENT_MAX),
        ),
    )
    return Ouverture(
        jeton=jeton,
        session_id=session_id,
        identifiant=identifiant,
        expire_le=instant + duree,
        second_facteur_demande=en_attente,
    )


def _fermer(
    conn: Connection[TupleRow], identifiant: str, pourquoi: str, sauf: UUID | None = None
) -> int:
    """Close the sessions of an account, awaiting ones included, but one; return how many."""
    return conn.execute(
        "UPDATE acces.session SET fermee_le = %s, fermeture = %s "
        "WHERE identifiant = %s AND fermee_le IS NULL AND id IS DISTINCT FROM %s",
        (clock.now(), pourquoi, identifiant, sauf),
    ).rowcount


def _tracer_pour(
    conn: Connection[TupleRow],
    nature: Nature,
    identifiant: str,
    par: str | None,
    adresse: str,
    objet: Mapping[str, object] | None = None,
) -> None:
    """Trace what was done to an account, under the name of whoever did it."""
    fait: dict[str, object] = {"compte": identifiant, **(objet or {})}
    carnet.ecrire(conn, nature, par or identifiant, adresse=adresse, objet=fait)


def _identite(
    row: Mapping[str, Any], roles: Iterable[tuple[str, list[str]]], **more: Any
) -> Identite:
    attributions = tuple(Attribution(role, frozenset(plies)) for role, plies in roles)
    sensible = any(a.role in ROLES_A_SECOND_FACTEUR for a in attributions)
    return Identite(
        identifiant=row["identifiant"],
        nom=row["nom"],
        attributions=attributions,
        detachee_par=frozenset(row["detachee_par"]),
        second_facteur_a_installer=sensible and not row["a_second_facteur"],
        **more,
    )
