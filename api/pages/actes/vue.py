"""What the form of an act shows: its fields with what was typed in them, and what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.pages.actes.champs import Feuille, Groupe, Liste, Noeud
from api.pages.actes.saisie import Plat, joindre, rangs
from api.pages.formulaires import Defaut

#: A line that has more fields than it must have folds those that hold nothing.
_FACULTATIFS_MONTRES = 5


@dataclass(frozen=True, slots=True)
class Champ:
    """A field, a group of fields or a list of groups, as the template shows it."""

    nature: str  #: `feuille`, `groupe`, `liste` or `ligne`
    chemin: str
    libelle: str
    genre: str = ""
    requis: bool = False
    exige: bool = False  #: the browser asks for it: nothing around it may be left out
    plusieurs: bool = False
    aide: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    valeurs: tuple[str, ...] = ()
    enfants: "tuple[Champ, ...]" = ()
    ouvert: bool = False  #: a group that may be left out is folded while it holds nothing
    rempli: bool = False  #: something is typed there, or wrong

    @property
    def essentiels(self) -> "tuple[Champ, ...]":
        """Of a line: what must be typed and what is; all of it when it is short."""
        if sum(not enfant.requis for enfant in self.enfants) <= _FACULTATIFS_MONTRES:
            return self.enfants
        return tuple(enfant for enfant in self.enfants if enfant.requis or enfant.rempli)

    @property
    def accessoires(self) -> "tuple[Champ, ...]":
        """Of a line: what is left, folded."""
        montres = {enfant.chemin for enfant in self.essentiels}
        return tuple(enfant for enfant in self.enfants if enfant.chemin not in montres)

    @property
    def valeur(self) -> str:
        """The only value."""
        return self.valeurs[0] if self.valeurs else ""


@dataclass(frozen=True, slots=True)
class Formes:
    """What is typed, what may be chosen, what is hidden."""

    plat: Plat
    options: Mapping[str, Sequence[tuple[str, str]]]
    caches: frozenset[str]
    fautifs: frozenset[str]

    def champs(
        self, groupe: Groupe, chemin: str = "", modele: str = "", *, exige: bool = True
    ) -> tuple[Champ, ...]:
        """Return what a group shows, one after the other.

        ``exige``: whether the group is sent whatever is typed; else none of its fields is asked
        by the browser, which would not send a form whose fold has an empty one.
        """
        return tuple(
            self._champ(
                enfant, joindre(chemin, enfant.nom), joindre(modele, enfant.nom), exige=exige
            )
            for enfant in groupe.enfants
        )

    def _champ(self, noeud: Noeud, chemin: str, modele: str, *, exige: bool) -> Champ:
        exige = exige and noeud.requis
        if isinstance(noeud, Groupe):
            enfants = self.champs(noeud, chemin, modele, exige=exige)
            return Champ(
                "groupe",
                chemin,
                noeud.libelle,
                requis=noeud.requis,
                aide=noeud.aide,
                enfants=enfants,
                ouvert=noeud.requis or self._rempli(chemin),
                rempli=self._rempli(chemin),
            )
        if isinstance(noeud, Liste):
            return Champ(
                "liste",
                chemin,
                noeud.libelle,
                requis=noeud.requis,
                aide=noeud.aide,
                enfants=tuple(self._lignes(noeud, chemin, modele, exige=exige)),
                rempli=self._rempli(chemin),
            )
        return self._feuille(noeud, chemin, modele, exige=exige)

    def _lignes(self, liste: Liste, chemin: str, modele: str, *, exige: bool) -> Iterator[Champ]:
        presents = rangs(self.plat, chemin) or ([0] if liste.requis else [])
        for place, rang in enumerate(presents, 1):
            ligne = joindre(chemin, str(rang))
            yield Champ(
                "ligne",
                ligne,
                f"{liste.element.libelle} {place}",
                enfants=self.champs(liste.element, ligne, modele, exige=exige),
            )

    def _feuille(self, feuille: Feuille, chemin: str, modele: str, *, exige: bool) -> Champ:
        options = tuple(self.options.get(modele, feuille.options))
        genre: str = feuille.genre
        if options and genre in {"texte", "identifiant", "entier"}:
            genre = "choix"
        if modele in self.caches:
            genre = "cache"
        recus = tuple(self.plat.get(chemin, ()))
        return Champ(
            "feuille",
            chemin,
            feuille.libelle,
            genre=genre,
            requis=feuille.requis,
            exige=exige,
            plusieurs=feuille.plusieurs,
            aide=feuille.aide,
            options=(*options, *_hors_choix(options, recus)),
            valeurs=recus,
            rempli=genre == "constante"
            or any(recu not in {"", "non"} for recu in recus)
            or chemin in self.fautifs,
        )

    def _rempli(self, chemin: str) -> bool:
        debut = f"{chemin}."
        return any(
            nom.startswith(debut) and any(v and v != "non" for v in valeurs)
            for nom, valeurs in self.plat.items()
        ) or any(nom.startswith(debut) for nom in self.fautifs)


def _hors_choix(
    options: Sequence[tuple[str, str]], recus: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield what was chosen and is offered no more: what was typed is never lost."""
    offerts = {code for code, _ in options}
    if options:
        yield from ((recu, recu) for recu in recus if recu and recu not in offerts)


def nommer(defauts: Sequence[Defaut], champs: Sequence[Champ]) -> tuple[Defaut, ...]:
    """Begin each sentence with the name of its field, as the form writes it."""
    noms = dict(_noms(champs, ()))
    return tuple(
        Defaut(f"{noms[d.champ]} : {d.message}", d.champ) if d.champ in noms else d for d in defauts
    )


def _noms(champs: Sequence[Champ], au_dessus: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for champ in champs:
        ici = (*au_dessus, champ.libelle)
        yield champ.chemin, ", ".join(ici)
        yield from _noms(champ.enfants, () if champ.nature == "liste" else ici)
