"""A case as it is typed, and every defect that its fields or its whole can have.

The format, for whoever writes a case, is in docs/calculateur.md.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from aggregates.cadre import Reglement
from aggregates.commande import Code, Pourcentage, Quantite, Saisie, Texte
from aggregates.parametres import Fongibilite, RessourcesIntermediaires
from oi_service.money import Arrondi, Montant, cents, euros, percent
from rules.calcul import Mode
from rules.fse_du import TauxMode, taux_fse
from rules.nomenclature import RESSOURCES
from rules.paiement import ImputationAvance

#: Most different postes in a case: a plan has a dozen.
POSTES_MAX = 100


def _signe(recu: Any) -> int:
    """Read an amount that may be negative: a later bilan takes back what an earlier one counted."""
    if not isinstance(recu, str):
        raise ValueError(  # noqa: TRY004 - pydantic turns ValueError into a refusal
            'un montant est une chaîne de caractères comme "1234.56", jamais un nombre JSON'
        )
    return -cents(recu[1:]) if recu.startswith("-") else cents(recu)


#: Only here may what is declared be negative; in a dossier it is not.
MontantRegularise = Annotated[
    int,
    BeforeValidator(_signe),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^-?(0|[1-9]\d{0,12})\.\d{2}$",
            "examples": ["1234.56", "-26000.00"],
        }
    ),
]


# --- What is typed -------------------------------------------------------------------------------


class ParametresDuCas(Saisie):
    """Choices that a grant leaves open, under the names it gives them."""

    arrondi: Arrondi = "demi_superieur"
    taux_mode: TauxMode = Field("exact", validation_alias=AliasChoices("taux_mode", "taux"))
    imputation_avance: ImputationAvance = "immediate"
    plafond_avant_solde_pct: Pourcentage | None = None
    fongibilite: Fongibilite = "libre"
    tolerance_poste_pct: Pourcentage = "0"
    ressources_intermediaires: RessourcesIntermediaires = "percues"


class PosteDuCas(Saisie):
    """A poste of the convention; ``unites_prevues`` only describes."""

    code: Code
    mode: Mode
    montant_conventionne: Montant | None = None
    taux_pct: Pourcentage | None = None
    assiette: tuple[Code, ...] = Field(default=(), max_length=POSTES_MAX)
    cout_unite: Montant | None = None
    unites_prevues: Quantite | None = None


class PlafondDuCas(Saisie):
    """What a poste may not pass."""

    montant: Montant
    tolerance_pct: Pourcentage = "0"


class RessourcePrevue(Saisie):
    """A resource of the plan, for intermediate bilans that count the others pro rata."""

    type: Code
    montant: Montant
    financeur: Texte | None = None


class ConventionDuCas(Saisie):
    """What the convention fixes. ``taux_fse_affiche_pct`` only counts with the displayed rate."""

    cout_total_eligible: Montant
    fse_max: Montant
    taux_fse_affiche_pct: Pourcentage | None = None
    plafond_avant_solde_pct: Pourcentage | None = None
    postes: tuple[PosteDuCas, ...] = Field(min_length=1, max_length=POSTES_MAX)
    plafonds_poste: dict[Code, PlafondDuCas] = Field(default={}, max_length=POSTES_MAX)
    ressources_prevues: tuple[RessourcePrevue, ...] = Field(default=(), max_length=100)


class PaiementDuCas(Saisie):
    """Money that moved before the first bilan; a reversement came back."""

    type: Literal["avance", "acompte", "solde", "reversement"]
    montant: Montant


class CleDuCas(Saisie):
    """The key that gave the amount of a line; it only describes."""

    numerateur: Quantite
    denominateur: Quantite
    assiette: Montant


class TempsDuCas(Saisie):
    """The hours that gave the amount of a line; they only describe."""

    cout_annuel_brut: Montant
    base_heures: Quantite
    heures_operation: Quantite


class DepenseDuCas(Saisie):
    """A line at real cost: declared, and what the control set aside of it."""

    id: Texte
    poste: Code
    montant_declare: MontantRegularise
    montant_ecarte: MontantRegularise
    motif: Texte | None = None
    marche: Texte | None = None
    cle: CleDuCas | None = None
    temps: TempsDuCas | None = None


class ExtrapolationDuCas(Saisie):
    """The lines drawn in a poste; the others take their rate of irregularity."""

    poste: Code
    tirage: tuple[Texte, ...] = Field(min_length=1, max_length=5000)


class CorrectionMarcheDuCas(Saisie):
    """A flat correction of a public contract."""

    marche: Texte
    taux_pct: Pourcentage


class UnitesDuCas(Saisie):
    """Units of a poste at unit cost."""

    poste: Code
    unites_declarees: Quantite
    unites_retenues: Quantite


class LivrableDuCas(Saisie):
    """A deliverable; ``poste`` is needed when several postes are lump sums."""

    id: Texte
    montant: Montant
    atteint: Annotated[bool, Field(strict=True)]
    poste: Code | None = None


class RessourceDuCas(Saisie):
    """What the control kept of a resource."""

    id: Texte | None = None
    type: Code
    montant_retenu: Montant
    financeur: Texte | None = None


class CorrectionFseDuCas(Saisie):
    """A flat correction of the Fund's share: publicity, réfaction."""

    nature: Code
    taux_pct: Pourcentage


class BilanDuCas(Saisie):
    """What the control of one bilan keeps; amounts are those of its period."""

    numero: Annotated[int, Field(strict=True, ge=1, le=999)]
    type: Literal["intermediaire", "final"]
    libelle: Texte | None = None
    depenses: tuple[DepenseDuCas, ...] = Field(max_length=20_000)
    extrapolation: ExtrapolationDuCas | None = None
    corrections_marche: tuple[CorrectionMarcheDuCas, ...] = Field(default=(), max_length=200)
    unites: tuple[UnitesDuCas, ...] = Field(default=(), max_length=200)
    livrables: tuple[LivrableDuCas, ...] = Field(default=(), max_length=200)
    recettes_nettes: Montant = 0
    ressources: tuple[RessourceDuCas, ...] = Field(max_length=200)
    corrections_fse: tuple[CorrectionFseDuCas, ...] = Field(default=(), max_length=20)


class _Decrit(Saisie):
    """What a case says for its reader; ``attendu`` is only looked at to compare."""

    id: Texte | None = None
    titre: Texte | None = None
    reglement: Reglement | None = None
    but: Texte | None = None
    statut_regle: Texte | None = None
    attendu: Any = None


class Cas(_Decrit):
    """One operation: its convention, what was paid, its bilans in order."""

    convention: ConventionDuCas
    paiements_avant: tuple[PaiementDuCas, ...] = Field(max_length=200)
    bilans: tuple[BilanDuCas, ...] = Field(min_length=1, max_length=50)
    parametres: ParametresDuCas = ParametresDuCas()

    @model_validator(mode="after")
    def _coherent(self) -> "Cas":
        """Refuse what each field admits and the whole does not, every defect at its place."""
        _refuser(list(_incoherences(self)))
        return self


class EnveloppeDuCas(Saisie):
    """The funding to share."""

    financeur: Texte
    montant: Montant


class OperationDuCas(Saisie):
    """An operation that the funding backs; ``autres_ressources`` leave the funding out."""

    operation: Texte
    cout_total_retenu: Montant
    fse_max: Montant
    cout_total_eligible: Montant
    autres_ressources: Montant


class ParametresDeRepartition(Saisie):
    """Choices that a grant leaves open, under the names it gives them."""

    arrondi: Arrondi = "demi_superieur"
    taux_mode: TauxMode = Field("exact", validation_alias=AliasChoices("taux_mode", "taux"))


class CasMutualise(_Decrit):
    """One funding shared between several operations."""

    pool: EnveloppeDuCas
    operations: tuple[OperationDuCas, ...] = Field(min_length=1, max_length=1000)
    parametres: ParametresDeRepartition = ParametresDeRepartition()

    @model_validator(mode="after")
    def _coherent(self) -> "CasMutualise":
        """Refuse an operation named twice, or without a rate."""
        _refuser(list(_incoherences_mutualisees(self)))
        return self


class PlanACouvrir(Saisie):
    """A plan, and what counterparts bring to it; what is attested is among what is expected."""

    cout_total: Montant
    fse: Montant
    contreparties_attestees: Montant
    contreparties_previsionnelles: Montant


class CasCouverture(_Decrit):
    """What counterparts cover of an operation."""

    entree: PlanACouvrir


#: A case of any shape.
TousLesCas: TypeAlias = Cas | CasMutualise | CasCouverture


def _par_forme(recu: Any, _tous: ValidatorFunctionWrapHandler) -> Any:
    """Read what has the shape of a case of one operation, of several, or of a coverage.

    A union would try them all and complain of all.
    """
    if isinstance(recu, dict) and recu.keys() & {"pool", "operations"}:
        return CasMutualise.model_validate(recu)
    if isinstance(recu, dict) and "entree" in recu:
        return CasCouverture.model_validate(recu)
    return Cas.model_validate(recu)


UnCas = Annotated[TousLesCas, WrapValidator(_par_forme)]
CAS_MAX = 1000
Liste = Annotated[tuple[UnCas, ...], Field(min_length=1, max_length=CAS_MAX)]
_LISTE: TypeAdapter[tuple[TousLesCas, ...]] = TypeAdapter(Liste)


class Recueil(Saisie):
    """A file of cases; ``meta`` only describes."""

    meta: Any = None
    cases: Annotated[tuple[UnCas, ...], Field(max_length=CAS_MAX)] = ()
    cases_multi_operations: Annotated[tuple[UnCas, ...], Field(max_length=CAS_MAX)] = ()

    @model_validator(mode="after")
    def _rempli(self) -> "Recueil":
        if not self.cases and not self.cases_multi_operations:
            _refuser([(("cases",), "le recueil ne contient aucun cas", None)])
        return self


def _demande(recu: Any, _tous: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(recu, list):
        return _LISTE.validate_python(recu)
    if isinstance(recu, dict) and recu.keys() & {"cases", "cases_multi_operations"}:
        return Recueil.model_validate(recu)
    return _par_forme(recu, _tous)


Demande = Annotated[Cas | CasMutualise | CasCouverture | Recueil | Liste, WrapValidator(_demande)]
_DEMANDE: TypeAdapter[Demande] = TypeAdapter(Demande)


def lire(recu: Any) -> Demande:
    """Read what a file holds, once it is no longer JSON.

    Raises: pydantic.ValidationError, with the path of every defect.
    """
    return _DEMANDE.validate_python(recu)


# --- What no field alone can tell ----------------------------------------------------------------

_Defaut: TypeAlias = tuple[tuple[str | int, ...], str, object]


def _refuser(defauts: Sequence[_Defaut]) -> None:
    if defauts:
        raise ValidationError.from_exception_data(
            "cas",
            [
                InitErrorDetails(
                    type=PydanticCustomError("value_error", "{error}", {"error": phrase}),
                    loc=lieu,
                    input=recu,
                )
                for lieu, phrase, recu in defauts
            ],
        )


def _incoherences(cas: Cas) -> Iterator[_Defaut]:
    yield from _de_la_convention(cas)
    yield from _des_paiements(cas.paiements_avant)
    modes = {p.code: p.mode for p in cas.convention.postes}
    codes = modes.keys() | {d.poste for b in cas.bilans for d in b.depenses}
    if len(codes) > POSTES_MAX:
        yield ("bilans",), f"le cas emploie plus de {POSTES_MAX} postes différents", None
    marches: set[str] = set()
    final = False
    for rang, bilan in enumerate(cas.bilans):
        marches |= {d.marche for d in bilan.depenses if d.marche is not None}
        for lieu, phrase, recu in _du_bilan(bilan, modes, marches):
            yield ("bilans", rang, *lieu), phrase, recu
        if final and bilan.type != "final":
            phrase = "un bilan intermédiaire ne suit pas un bilan final"
            yield ("bilans", rang, "type"), phrase, bilan.type
        final = final or bilan.type == "final"
    yield from _des_recettes(cas.bilans)


def _de_la_convention(cas: Cas) -> Iterator[_Defaut]:
    convention = cas.convention
    if convention.cout_total_eligible == 0:
        phrase = "le coût total éligible est nul : le taux du FSE ne peut pas être calculé"
        yield ("convention", "cout_total_eligible"), phrase, "0.00"
    elif cas.parametres.taux_mode == "affiche" and convention.taux_fse_affiche_pct is not None:
        taux = taux_fse(convention.fse_max, convention.cout_total_eligible, "affiche")
        if Fraction(convention.taux_fse_affiche_pct) != taux * 100:
            phrase = (
                "ce taux n’est pas fse_max / cout_total_eligible arrondi à deux décimales, "
                f"{percent(taux)}"
            )
            recu = convention.taux_fse_affiche_pct
            yield ("convention", "taux_fse_affiche_pct"), phrase, recu
    for rang, poste in enumerate(convention.postes):
        for lieu, phrase, valeur in _du_poste(poste, convention.postes, rang):
            yield ("convention", "postes", rang, *lieu), phrase, valeur
        if (
            poste.mode == "reel"
            and cas.parametres.fongibilite != "libre"
            and poste.montant_conventionne is None
        ):
            phrase = "ce champ est obligatoire : les postes sont plafonnés à leur montant"
            yield ("convention", "postes", rang, "montant_conventionne"), phrase, None
    reels = {p.code for p in convention.postes if p.mode == "reel"}
    for code in convention.plafonds_poste.keys() - reels:
        phrase = "ce n’est pas un poste de la convention au coût réel : il ne se plafonne pas"
        yield ("convention", "plafonds_poste", code), phrase, code
    for rang, ressource in enumerate(convention.ressources_prevues):
        yield from _du_type(ressource.type, ("convention", "ressources_prevues", rang, "type"))


def _du_poste(poste: PosteDuCas, tous: Sequence[PosteDuCas], rang: int) -> Iterator[_Defaut]:
    avant = tous[:rang]
    if poste.code in {p.code for p in avant}:
        yield ("code",), "ce poste figure deux fois dans la convention", poste.code
    exiges = {"forfait": ("taux_pct", "assiette"), "cout_unitaire": ("cout_unite",)}
    requis = exiges.get(poste.mode, ())
    for champ in ("taux_pct", "assiette", "cout_unite"):
        valeur = getattr(poste, champ)
        absent = valeur is None or valeur == ()
        if champ in requis and absent:
            yield (champ,), f"ce champ est obligatoire pour un poste « {poste.mode} »", None
        if champ not in requis and not absent:
            phrase = f"ce champ n’a pas de sens pour un poste « {poste.mode} »"
            yield (champ,), phrase, str(valeur)
    calcules = {p.code for p in avant} | {p.code for p in tous if p.mode != "forfait"}
    for place, code in enumerate(poste.assiette):
        if code not in calcules:
            phrase = (
                "l’assiette porte sur un poste de la convention calculé avant ce forfait : ce "
                "poste n’existe pas, ou c’est un forfait placé plus bas"
            )
            yield ("assiette", place), phrase, code
        if code in poste.assiette[:place]:
            yield ("assiette", place), "ce poste figure deux fois dans l’assiette", code


def _des_paiements(paiements: Sequence[PaiementDuCas]) -> Iterator[_Defaut]:
    net = 0
    for rang, paiement in enumerate(paiements):
        net += -paiement.montant if paiement.type == "reversement" else paiement.montant
        if net < 0:
            phrase = "les reversements dépassent ce qui avait été payé"
            yield ("paiements_avant", rang, "montant"), phrase, None


def _du_bilan(bilan: BilanDuCas, modes: dict[str, Mode], marches: set[str]) -> Iterator[_Defaut]:
    vus: set[str] = set()
    for rang, depense in enumerate(bilan.depenses):
        for champ, phrase, recu in _de_la_depense(depense, modes):
            yield ("depenses", rang, champ), phrase, recu
        if depense.id in vus:
            phrase = "cet identifiant est déjà celui d’une dépense du bilan"
            yield ("depenses", rang, "id"), phrase, depense.id
        vus.add(depense.id)
    if bilan.extrapolation is not None:
        yield from _du_tirage(bilan.extrapolation, bilan.depenses)
    for rang, correction in enumerate(bilan.corrections_marche):
        if correction.marche not in marches:
            phrase = "aucune dépense de ce bilan ni des précédents ne porte ce marché"
            yield ("corrections_marche", rang, "marche"), phrase, correction.marche
    for rang, unites in enumerate(bilan.unites):
        if modes.get(unites.poste) != "cout_unitaire":
            phrase = "ce n’est pas un poste de la convention au coût unitaire"
            yield ("unites", rang, "poste"), phrase, unites.poste
        if Decimal(unites.unites_retenues) > Decimal(unites.unites_declarees):
            phrase = f"plus d’unités retenues que déclarées ({unites.unites_declarees})"
            yield ("unites", rang, "unites_retenues"), phrase, unites.unites_retenues
    lots = [code for code, mode in modes.items() if mode == "montant_forfaitaire"]
    for rang, livrable in enumerate(bilan.livrables):
        if livrable.poste is None and len(lots) > 1:
            phrase = "plusieurs postes sont des montants forfaitaires : indiquez celui du livrable"
            yield ("livrables", rang, "poste"), phrase, None
        elif not lots or (livrable.poste is not None and livrable.poste not in lots):
            phrase = "la convention n’a pas ce poste parmi ses montants forfaitaires"
            yield ("livrables", rang, "poste"), phrase, livrable.poste
    for rang, ressource in enumerate(bilan.ressources):
        yield from _du_type(ressource.type, ("ressources", rang, "type"))


def _de_la_depense(depense: DepenseDuCas, modes: dict[str, Mode]) -> Iterator[tuple[str, str, str]]:
    declare, ecarte = depense.montant_declare, depense.montant_ecarte
    if not min(0, declare) <= ecarte <= max(0, declare):
        phrase = "ce qui est écarté va de 0,00 € à ce qui est déclaré"
        yield "montant_ecarte", phrase, euros(ecarte)
    mode = modes.get(depense.poste)
    if mode is None and ecarte != declare:
        phrase = (
            "la convention n’a pas ce poste : la dépense s’écarte en entier "
            "(POSTE_NON_CONVENTIONNE)"
        )
        yield "poste", phrase, depense.poste
    if mode not in {None, "reel"}:
        phrase = (
            f"la convention compte ce poste en « {mode} » : aucune dépense au coût réel ne s’y "
            "déclare, un coût n’a qu’une forme"
        )
        yield "poste", phrase, depense.poste


def _du_tirage(
    extrapolation: ExtrapolationDuCas, depenses: Sequence[DepenseDuCas]
) -> Iterator[_Defaut]:
    restent = {d.id: d.montant_declare for d in depenses if d.poste == extrapolation.poste}
    declare, defaut = 0, False
    for rang, tiree in enumerate(extrapolation.tirage):
        montant = restent.pop(tiree, None)
        if montant is None or montant < 0:
            defaut = True
            phrase = (
                f"aucune dépense « {extrapolation.poste} » du bilan ne porte cet identifiant, ou "
                "elle est déjà tirée"
                if montant is None
                else "une régularisation ne se tire pas : aucun taux ne se lit sur elle"
            )
            yield ("extrapolation", "tirage", rang), phrase, tiree
        declare += montant or 0
    if declare == 0 and not defaut:
        phrase = "les dépenses tirées ne déclarent rien : aucun taux ne s’en déduit"
        yield ("extrapolation", "tirage"), phrase, None


def _des_recettes(bilans: Sequence[BilanDuCas]) -> Iterator[_Defaut]:
    """Refuse revenue that is both deducted from the cost and counted as a resource."""
    if not any(r.type == "recettes" and r.montant_retenu for b in bilans for r in b.ressources):
        return
    for rang, bilan in enumerate(bilans):
        if bilan.recettes_nettes:
            phrase = "les recettes sont déjà parmi les ressources : elles ne se déduisent pas aussi"
            yield ("bilans", rang, "recettes_nettes"), phrase, euros(bilan.recettes_nettes)


def _du_type(type_ressource: str, lieu: tuple[str | int, ...]) -> Iterator[_Defaut]:
    if type_ressource not in RESSOURCES:
        yield lieu, f"valeurs possibles : {', '.join(sorted(RESSOURCES))}", type_ressource


def _incoherences_mutualisees(cas: CasMutualise) -> Iterator[_Defaut]:
    vues: set[str] = set()
    for rang, operation in enumerate(cas.operations):
        if operation.operation in vues:
            phrase = "cette opération figure deux fois : un euro n’est affecté qu’une fois"
            yield ("operations", rang, "operation"), phrase, operation.operation
        vues.add(operation.operation)
        if operation.cout_total_eligible == 0:
            phrase = "le coût total éligible est nul : le taux du FSE ne peut pas être calculé"
            yield ("operations", rang, "cout_total_eligible"), phrase, "0.00"


def tous(demande: Demande) -> tuple[TousLesCas, ...]:
    """Return the cases of what was read, in the order of their writing."""
    if isinstance(demande, Recueil):
        return (*demande.cases, *demande.cases_multi_operations)
    return demande if isinstance(demande, tuple) else (demande,)
