# ruff: noqa: INP001 - a command of the checkout, never imported
"""Copy the pinned assets of ``node_modules`` into ``api/static/vendor``.

Run after ``npm ci``. The copies are committed and ship in the wheel, so that neither an
installation nor a page ever needs npm or another server.
"""

import hashlib
import json
import shutil
from pathlib import Path

RACINE = Path(__file__).resolve().parent.parent
VENDOR = RACINE / "api" / "static" / "vendor"

#: Package, file to copy, stem and suffix of the copy; the version goes in between.
ASSETS = (
    ("htmx.org", "dist/htmx.min.js", "htmx", ".min.js"),
    ("bootstrap", "dist/css/bootstrap.min.css", "bootstrap", ".min.css"),
    (
        "@fontsource-variable/source-sans-3",
        "files/source-sans-3-latin-wght-normal.woff2",
        "source-sans-3-latin",
        ".woff2",
    ),
)


def main() -> None:
    """Rewrite the whole folder: an asset that is no longer pinned disappears."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    entries = []
    for package, source, stem, suffix in ASSETS:
        folder = RACINE / "node_modules" / package
        manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        name = f"{stem}-{manifest['version']}"
        copy = VENDOR / f"{name}{suffix}"
        licence = VENDOR / f"{name}.LICENSE.txt"
        shutil.copyfile(folder / source, copy)
        shutil.copyfile(folder / "LICENSE", licence)
        entries.append(
            {
                "fichier": copy.name,
                "nom": package,
                "version": manifest["version"],
                "licence": manifest["license"],
                "texte_de_la_licence": licence.name,
                "sha256": hashlib.sha256(copy.read_bytes()).hexdigest(),
            }
        )
    text = json.dumps(entries, ensure_ascii=False, indent=2)
    (VENDOR / "vendor.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
