"""The form of a command: which fields its model has, of which kind, in which order.

Read from the JSON schema of the model, so that a field added to a command is in its form at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from aggregates.commande import Commande
from api.pages.actes.libelles import AIDES, CHOIX, LIBELLES, LIGNES, LONGS

Genre = Literal[
    "texte",
    "long",
    "jour",
    "euros",
    "nombre",
    "entier",
    "choix",
    "case",
    "oui_ou_non",
    "identifiant",
    "iban",
    "constante",
]

#: What every command carries, shown apart: its documents.
PIECES = "pieces"


@dataclass(frozen=True, slots=True)
class Feuille:
    """One value. ``plusieurs``: a list of them, one a line, or boxes when there are options."""

    nom: str
    libelle: str
    genre: Genre
    requis: bool
    plusieurs: bool = False
    options: tuple[tuple[str, str], ...] = ()
    aide: str | None = None
    constante: str = ""


@dataclass(frozen=True, slots=True)
class Groupe:
    """Fields that go together; when not required, none of them may be given."""

    nom: str
    libelle: str
    requis: bool
    enfants: "tuple[Noeud, ...]" = field(default=())
    aide: str | None = None


@dataclass(frozen=True, slots=True)
class Liste:
    """Any number of groups."""

    nom: str
    libelle: str
    requis: bool
    element: Groupe
    aide: str | None = None


Noeud = Feuille | Groupe | Liste


@cache
def forme(modele: type[Commande]) -> Groupe:
    """Return the fields of a command, its documents left out."""
    schema = modele.model_json_schema()
    definitions = schema.get("$defs", {})
    lu = _Lecture(definitions)
    racine = lu.groupe("", schema, requis=True)
    return replace(racine, enfants=tuple(_dans_l_ordre(racine.enfants)))


def _dans_l_ordre(enfants: Sequence[Noeud]) -> Iterator[Noeud]:
    """Yield what is asked in the order in which people fill a form: the reason comes last."""
    derniers = {"motif", "commentaire", "observations", "reserves", PIECES}
    yield from (n for n in enfants if n.nom not in derniers)
    yield from (n for n in enfants if n.nom in derniers and n.nom != PIECES)


@dataclass(frozen=True, slots=True)
class _Lecture:
    definitions: Mapping[str, Any]

    def groupe(self, nom: str, schema: Mapping[str, Any], *, requis: bool) -> Groupe:
        modele = schema.get("title", "")
        voulus = schema.get("required", [])
        return Groupe(
            nom=nom,
            libelle=_dit(LIBELLES, modele, nom) or nom,
            requis=requis,
            enfants=tuple(
                self.noeud(modele, n, s, requis=n in voulus)
                for n, s in schema.get("properties", {}).items()
            ),
        )

    def noeud(self, modele: str, nom: str, brut: Mapping[str, Any], *, requis: bool) -> Noeud:
        schema, nul = self._sans_nul(brut)
        libelle = _dit(LIBELLES, modele, nom) or nom
        aide = _dit(AIDES, modele, nom)
        if "properties" in schema:
            groupe = self.groupe(nom, schema, requis=requis and not nul)
            return replace(groupe, libelle=libelle, aide=aide)
        if "oneOf" in schema:
            return Groupe(nom, libelle, requis, tuple(self._alternatives(schema)), aide)
        if schema.get("type") == "array":
            element, _ = self._sans_nul(schema.get("items", {}))
            if "properties" in element:
                ligne = self.groupe(nom, element, requis=True)
                ligne = replace(ligne, libelle=LIGNES.get(nom, libelle))
                return Liste(nom, libelle, requis, ligne, aide)
            feuille = self._feuille(modele, nom, element, requis=requis)
            return replace(feuille, libelle=libelle, aide=aide, plusieurs=True)
        feuille = self._feuille(modele, nom, schema, requis=requis and not nul)
        if feuille.genre == "case" and not requis:
            feuille = replace(feuille, genre="oui_ou_non")
        return replace(feuille, libelle=libelle, aide=aide)

    def _alternatives(self, schema: Mapping[str, Any]) -> Iterator[Noeud]:
        """Yield the fields of several models as one: which of them it is, then each field once."""
        modeles = [self._sans_nul(s)[0] for s in schema["oneOf"]]
        marque = schema["discriminator"]["propertyName"]
        codes = [str(m["properties"][marque]["const"]) for m in modeles]
        titre = modeles[0]["title"]
        yield Feuille(
            marque,
            _dit(LIBELLES, titre, marque) or marque,
            "choix",
            requis=True,
            options=tuple((code, _dit_choix(titre, marque).get(code, code)) for code in codes),
        )
        vus = {marque}
        for modele in modeles:
            for nom, brut in modele["properties"].items():
                if nom not in vus:
                    vus.add(nom)
                    partout = all(nom in m.get("required", ()) for m in modeles)
                    yield self.noeud(modele["title"], nom, brut, requis=partout)

    def _sans_nul(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """Return a schema without its « or nothing », and whether it had one."""
        branches = schema.get("anyOf")
        if branches is not None:
            pleines = [b for b in branches if b.get("type") != "null"]
            texte = next((b for b in pleines if b.get("type") == "string"), pleines[0])
            return self._sans_nul(texte)[0], len(pleines) < len(branches)
        if "$ref" in schema:
            return self.definitions[schema["$ref"].rsplit("/", 1)[-1]], False
        return schema, False

    def _feuille(
        self, modele: str, nom: str, schema: Mapping[str, Any], *, requis: bool
    ) -> Feuille:
        choix = _dit_choix(modele, nom)
        codes = [str(code) for code in schema.get("enum", choix)]
        genre = _genre(nom, schema, choix=bool(codes))
        return Feuille(
            nom,
            nom,
            genre,
            requis,
            options=tuple((code, choix.get(code, code)) for code in codes),
            constante=str(schema.get("const", "")),
        )


def _genre(nom: str, schema: Mapping[str, Any], *, choix: bool) -> Genre:
    if "const" in schema:
        return "constante"
    if choix:
        return "choix"
    genres: dict[str, Genre] = {"boolean": "case", "integer": "entier"}
    formats: dict[str, Genre] = {"date": "jour", "uuid": "identifiant"}
    motif = schema.get("pattern", "")
    if motif.endswith(r"\.\d{2}$"):
        return "euros"
    if "[0-9]{1,4})?$" in motif or "[0-9]{1,6})?" in motif or r"\d{1,4})?$" in motif:
        return "nombre"
    if nom == "iban_masque":
        return "iban"
    simple: Genre = "long" if nom in LONGS else "texte"
    return genres.get(schema.get("type", ""), formats.get(schema.get("format", ""), simple))


def _dit(textes: Mapping[str, str], modele: str, nom: str) -> str | None:
    """Return what is said of a field of that model, else of every field of that name."""
    return textes.get(f"{modele}.{nom}") or textes.get(nom)


def _dit_choix(modele: str, nom: str) -> Mapping[str, str]:
    precis = f"{modele}.{nom}"
    return CHOIX[precis] if precis in CHOIX else CHOIX.get(nom, {})
