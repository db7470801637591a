"""The environment, read once. Every name starts with ``OI_``; docs/exploitation.md lists them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set.

    ``database_url``: a PostgreSQL 17 or newer instead of the embedded one.
    ``database_url_migrations``: the owner's own access, when the application's is less.
    ``pieces_dir``, ``cles_dir``, ``ancres_dir``, ``travaux_dir``: folders other than those under
    ``data_dir``. ``travaux_jours``: how long the files that long works made are kept.
    ``brouillons_jours``: how long an import waits to be confirmed.
    ``ancre_heures``: hours of the day, in Paris, at which the log is anchored.
    ``ancre_courriels``: who receives the anchors, through ``smtp_url``, from
    ``courriel_expediteur``.
    ``horodatage_url``, ``horodatage_ac``: an RFC 3161 server, and the authorities it descends from.
    ``session_inactivite_minutes``, ``session_duree_heures``: how long a session lives unused, and
    at most. ``renforcement_minutes``: how long a proof of the second factor counts as fresh.
    ``traces_jours``: how long the traces of accesses are kept.
    ``oidc_emetteur``: an OpenID Connect provider, that knows the service as ``oidc_client`` by
    ``oidc_secret`` (or what ``oidc_secret_fichier`` holds); ``oidc_portees``: what is asked of it;
    ``oidc_nom``: what people call it; ``oidc_courriels_verifies``: it verifies every address.
    ``connexion_locale``: with ``non``, only administrators come in by a password.
    ``piece_max``: size of the largest piece, in bytes or with a unit (``80MB``).
    """

    model_config = SettingsConfigDict(env_prefix="OI_", extra="ignore")

    database_url: str | None = None
    database_url_migrations: str | None = None
    data_dir: Path | None = None
    pieces_dir: Path | None = None
    cles_dir: Path | None = None
    ancres_dir: Path | None = None
    travaux_dir: Path | None = None
    travaux_jours: Annotated[int, Field(ge=1, le=60)] = 7
    brouillons_jours: Annotated[int, Field(ge=1, le=365)] = 30
    piece_max: Annotated[ByteSize, Field(gt=0)] = ByteSize(50_000_000)
    ancre_heures: Annotated[str, Field(pattern=r"^(1?[0-9]|2[0-3])( *, *(1?[0-9]|2[0-3]))*$")] = "4"
    ancre_courriels: str = ""
    smtp_url: str | None = None
    courriel_expediteur: str | None = None
    horodatage_url: str | None = None
    horodatage_ac: Path | None = None
    session_inactivite_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    session_duree_heures: Annotated[int, Field(ge=1, le=7 * 24)] = 12
    renforcement_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    traces_jours: Annotated[int, Field(ge=180, le=3650)] = 365
    oidc_emetteur: str | None = None
    oidc_client: str | None = None
    oidc_secret: SecretStr | None = None
    oidc_secret_fichier: Path | None = None
    oidc_portees: str = "openid email"
    oidc_nom: str = "OpenID Connect"
    oidc_courriels_verifies: Literal["oui", "non"] = "non"
    connexion_locale: Literal["oui", "non"] = "oui"
    port: int = 8000
