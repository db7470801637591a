"""`oi serve` itself: what it refuses to do, before it starts anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("commande", ["serve", "demo"])
def test_an_open_door_is_refused_before_anything_starts(commande: str, tmp_path: Path) -> None:
    faite = subprocess.run(
        [sys.executable, "-m", "oi_service", commande],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OI_DATA_DIR": str(tmp_path / "donnees"), "OI_ADRESSE": "::"},
    )
    assert faite.returncode == 2, faite.stderr
    assert "OI_ADRESSE=:: ferait écouter le service" in faite.stdout
    assert list(tmp_path.iterdir()) == []
