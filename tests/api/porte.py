"""A client of the JSON door that fills in the headers of a command."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from httpx2 import Response
from starlette.testclient import TestClient

from oi_service.application import Service
from oi_service.ids import new_id

GESTIONNAIRE = {"OI-Acteur": "gestionnaire-1", "OI-Role": "gestionnaire_oi"}
VALIDEUR = {"OI-Acteur": "valideur-1", "OI-Role": "valideur_oi"}
ORDONNATEUR = {"OI-Acteur": "ordonnateur-1", "OI-Role": "ordonnateur_oi"}
AUDITEUR = {"OI-Acteur": "auditeur-1", "OI-Role": "auditeur"}
COMPTABLE = {"OI-Acteur": "comptable-1", "OI-Role": "comptable_oi"}


@dataclass
class Api:
    """A client of the JSON door."""

    http: TestClient
    service: Service

    def demander(
        self,
        chemin: str,
        corps: Any,
        version: int | None = None,
        personne: dict[str, str] | None = None,
        cle: UUID | None = None,
    ) -> Response:
        """Send a command and return the answer, whatever it is."""
        headers = {"Idempotency-Key": str(cle or new_id()), **(personne or {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.http.post(f"/api/v1{chemin}", json=corps, headers=headers)

    def faire(self, chemin: str, corps: Any, *args: Any, **kwargs: Any) -> Any:
        """Send a command that must be accepted; what it made can be read where it says."""
        answer = self.demander(chemin, corps, *args, **kwargs)
        assert answer.is_success, answer.text
        if "Location" in answer.headers:
            qui = kwargs.get("personne")
            sheet = self.http.get(answer.headers["Location"], headers=qui)
            assert sheet.status_code == 200, sheet.text
            if "ETag" in sheet.headers:
                assert sheet.headers["ETag"] == answer.headers["ETag"], chemin
        return answer.json()

    @property
    def position(self) -> int:
        """How far the journal goes."""
        position: int = self.http.get("/sante/pret").json()["position"]
        return position

    def somme(self, sql: str, *parameters: Any) -> Any:
        """Read one value."""
        with self.service.reads.connection() as conn:
            row = conn.execute(sql, parameters).fetchone()
        assert row is not None
        return row[0]
