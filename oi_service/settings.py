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
    port: int = 8000
