"""docs/import.md is that of the templates and of the corpus."""

import importlib.util
from pathlib import Path

RACINE = Path(__file__).parents[2]


def test_the_messages_of_imports_are_documented() -> None:
    spec = importlib.util.spec_from_file_location("di", RACINE / "tools" / "documenter_import.py")
    assert spec is not None
    assert spec.loader is not None
    outil = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(outil)
    assert outil.DOCUMENT.read_text(encoding="utf-8") == outil.document(), (
        "lancez tools/documenter_import.py"
    )
