"""The forms of a page, read and sent as a browser would, without any script."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class FormulaireLu:
    """A form: where it goes, and the fields that it would send untouched."""

    action: str
    champs: list[tuple[str, str]] = field(default_factory=list)
    noms: set[str] = field(default_factory=set)  #: every field, those that send nothing included

    def remplir(self, **saisis: str) -> dict[str, list[str]]:
        """Return what is sent once some fields are filled, by name with ``__`` for a dot."""
        dits = {nom.replace("__", "."): valeur for nom, valeur in saisis.items()}
        absents = set(dits) - self.noms
        assert not absents, (absents, sorted(self.noms))
        envoi: dict[str, list[str]] = {}
        for nom, valeur in self.champs:
            if nom not in dits:
                envoi.setdefault(nom, []).append(valeur)
        return envoi | {nom: [valeur] for nom, valeur in dits.items()}


class _Lecteur(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lus: list[FormulaireLu] = []
        self.en_cours: FormulaireLu | None = None
        self.choix: str | None = None
        self.choisi: str | None = None
        self.premier: str | None = None
        self.texte: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        dits = {nom: valeur or "" for nom, valeur in attrs}
        if tag == "form":
            self.en_cours = FormulaireLu(dits.get("action", ""))
            return
        if self.en_cours is None:
            return
        nom = dits.get("name", "")
        if nom:
            self.en_cours.noms.add(nom)
        if tag == "input" and nom and dits.get("type") not in {"file", "submit"}:
            cochable = dits.get("type") in {"checkbox", "radio"}
            if not cochable or "checked" in dits:
                self.en_cours.champs.append((nom, dits.get("value", "")))
        elif tag == "select":
            self.choix, self.choisi, self.premier = nom, None, None
        elif tag == "option":
            self.premier = dits.get("value", "") if self.premier is None else self.premier
            if "selected" in dits:
                self.choisi = dits.get("value", "")
        elif tag == "textarea":
            self.choix, self.texte = nom, ""

    def handle_data(self, data: str) -> None:
        if self.texte is not None:
            self.texte += data

    def handle_endtag(self, tag: str) -> None:
        if self.en_cours is None:
            return
        if tag == "form":
            self.lus.append(self.en_cours)
            self.en_cours = None
        elif tag == "select" and self.choix:
            choisi = self.premier if self.choisi is None else self.choisi
            self.en_cours.champs.append((self.choix, choisi or ""))
            self.choix = None
        elif tag == "textarea" and self.choix and self.texte is not None:
            self.en_cours.champs.append((self.choix, self.texte.removeprefix("\n")))
            self.choix = self.texte = None


def formulaires(html: str) -> list[FormulaireLu]:
    """Return the forms of a page, in order."""
    lecteur = _Lecteur()
    lecteur.feed(html)
    return lecteur.lus
