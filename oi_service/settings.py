"""The environment, read once. Every name starts with ``OI_``; docs/exploitation.md lists them."""

from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set.

    ``database_url``: a PostgreSQL 17 or newer instead of the embedded one.
    ``database_url_migrations``: the owner's own access, when the application's is less.
    ``pieces_dir``, ``cles_dir``, ``ancres_dir``: folders other than those under ``data_dir``.
    ``ancre_heures``: hours of the day, in Paris, at which the log is anchored.
    ``ancre_courriels``: who receives the anchors, through ``smtp_url``, from
    ``courriel_expediteur``.
    ``horodatage_url``, ``horodatage_ac``: an RFC 3161 server, and the authorities it descends from.
    ``piece_max``: size of the largest piece, in bytes or with a unit (``80MB``).
    """

    model_config = SettingsConfigDict(env_prefix="OI_", extra="ignore")

    database_url: str | None = None
    database_url_migrations: str | None = None
    data_dir: Path | None = None
    pieces_dir: Path | None = None
    cles_dir: Path | None = None
    ancres_dir: Path | None = None
    piece_max: Annotated[ByteSize, Field(gt=0)] = ByteSize(50_000_000)
    ancre_heures: Annotated[str, Field(pattern=r"^(1?[0-9]|2[0-3])( *, *(1?[0-9]|2[0-3]))*$")] = "4"
    ancre_courriels: str = ""
    smtp_url: str | None = None
    courriel_expediteur: str | None = None
    horodatage_url: str | None = None
    horodatage_ac: Path | None = None
    port: int = 8000
