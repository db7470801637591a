"""A random life: each turn, an operation tries an act that its state suggests."""

from random import Random
from typing import Any

from vie import Vie

from aggregates.convention.state import Bilan, Convention
from oi_service.errors import Refusal

OPERATIONS = tuple(f"OP-{rank}" for rank in range(8))


def hasard(seed: int) -> Random:
    """Return dice that fall the same way again."""
    return Random(seed)  # noqa: S311 - a life to replay, not a secret


def fonder(vie: Vie, dice: Random) -> None:
    """Open the calls, the funding and the dossiers of the life."""
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "90000.00")
    vie.enveloppe("B", "90000.00")
    vie.reserve("20000.00")
    vie.appel(fiches=[{"code": "A1", "plie": "A"}, {"code": "B1", "plie": "B"}])
    vie.contrepartie("CP", "90000.00")
    for rank, operation in enumerate(OPERATIONS):
        vie.depot(operation, fiche=dice.choice(["A1", "B1"]), fse=f"{20 + rank}000.00")


def vivre(vie: Vie, dice: Random, turns: int) -> set[str]:
    """Play; return the names of the acts that were accepted."""
    accepted = set()
    for _ in range(turns):
        act = dice.choice(_acts(vie, dice.choice(OPERATIONS), dice))
        try:
            getattr(vie, act[0])(*act[1:-1], **act[-1])
        except Refusal:
            continue
        accepted.add(act[0])
    return accepted


def _euros(dice: Random) -> str:
    return f"{dice.randrange(20_000)}.{dice.randrange(100):02d}"


def _acts(vie: Vie, operation: str, dice: Random) -> list[tuple[Any, ...]]:
    """Return the acts that the state of an operation suggests, as method, arguments, options."""
    before: dict[str, list[tuple[Any, ...]]] = {
        "depose": [("instruction", operation, {"avis": dice.choice(["favorable", "defavorable"])})]
        * 9
        + [("retrait", operation, {})],
        "ajourne": [("reouverture", operation, {}), ("programmation", operation, {})],
        "en_instruction": [("instruction", operation, {})],
        "programme": [("conventionnement", operation, {})] * 4
        + [("deprogrammation", operation, {})],
    }
    statut = vie.operation(operation).statut
    if statut.startswith("instruit"):
        motif = {"motif": "Décision motivée"}
        return [("programmation", operation, motif)] * 3 + [("ajournement", operation, {})]
    if statut in before:
        return before[statut]
    if not vie.operation(operation).conventionnee:
        return [("transfert", *dice.sample(["A", "B", "reserve"], 2), _euros(dice), {})]
    return _under_convention(operation, vie.convention(operation), dice)


def _under_convention(
    operation: str, convention: Convention, dice: Random
) -> list[tuple[Any, ...]]:
    bilans = [b for b in convention.bilans.values() if b.statut != "renvoye"]
    numero = len(bilans) + 1
    filed = {
        "numero": numero,
        "type": "final" if numero > 3 or dice.random() < 0.3 else "intermediaire",
        "ressources": [{"type": "publique_epci", "montant": _euros(dice)}],
        "recettes_nettes": dice.choice(["0.00", _euros(dice)]),
    }
    acts: list[tuple[Any, ...]] = [
        ("paiement", operation, _euros(dice), {"type": "avance"}),
        *[("bilan", operation, _lines(bilans, dice), filed)] * 4,
        ("avenant", operation, convention.avenants + 1, {"fse": f"{dice.randrange(15, 45)}000.00"}),
        ("avenant_abandonne", operation, convention.avenants + 1, {}),
        ("demande_avenant", operation, convention.avenants + 1, {"fse": "46000.00"}),
        ("avenant_programme", operation, convention.avenants + 1, {}),
        ("affectation", "CP", operation, _euros(dice), {}),
        ("transmission", operation, "100.00", "200.00", {}),
        ("certification", operation, "50.00", "100.00", {}),
        ("retrait_certification", operation, "10.00", "20.00", {}),
        ("solde", operation, {}),
    ]
    if dice.random() < 0.1:
        kept = {"montants_controles": dice.choice(["conserves", "ecartes"])}
        acts += [("reclamation", operation, {}), ("cloture_office", operation, kept)]
    if convention.ordres or any(b.statut == "controle" for b in bilans):
        acts += [("cloture", operation, {}), ("suites_closes", operation, {})]
    if dice.random() < 0.1:
        acts += (
            [("abandon", operation, {}), ("rejet", operation, {})] if convention.paiements else []
        )
    for bilan in bilans:
        acts += _on_bilan(operation, bilan, convention, dice)
    if convention.ordres:
        acts.append(("encaissement", operation, _euros(dice), {}))
    if convention.paye > convention.fse_du:
        trop = convention.paye - convention.fse_du
        acts.append(("ordre_reversement", operation, f"{trop // 100}.{trop % 100:02d}", {}))
    return acts


def _lines(bilans: list[Bilan], dice: Random) -> list[str | dict[str, Any]]:
    """Return what a bilan declares: pieces, some of a contract, one that takes back at times."""
    lines: list[str | dict[str, Any]] = [_euros(dice), _euros(dice)]
    lines.append({"montant_impute": _euros(dice), "piece_ref": "M-1", "marche_ref": "M-1"})
    if bilans and dice.random() < 0.3:
        taken = {"montant_impute": f"-{_euros(dice)}", "piece_ref": "R-1", "regularise": "P-0"}
        lines.append(taken)
    return lines


def _on_bilan(
    operation: str, bilan: Bilan, convention: Convention, dice: Random
) -> list[tuple[Any, ...]]:
    numero = bilan.numero
    if bilan.statut in {"depose", "recevable"}:
        ecarte = {"ecarte": dice.choice(["0.00", "0.01"])}
        return [("controle", operation, numero, ecarte)] * 4 + [
            ("renvoi", operation, numero, {}),
            ("recevabilite_bilan", operation, numero, {}),
            ("ouverture_controle", operation, numero, {}),
        ]
    if bilan.statut == "en_controle":
        rate = dice.choice(["0", "5", "25", "100"])
        return [
            ("correction_marche", operation, "M-1", rate, numero, {}),
            ("controle_recettes", operation, numero, {"montant_retenu": _euros(dice)}),
            ("grille", operation, numero, {}),
            ("conclusions", operation, numero, {}),
            ("observations", operation, numero, {}),
            ("conclusions_finales", operation, numero, {}),
            ("controle", operation, numero, {}),
            ("controle", operation, numero, {}),
        ]
    reste = max(0, convention.fse_du - convention.engage)
    kind = "solde" if bilan.type == "final" else "acompte"
    acts: list[tuple[Any, ...]] = [
        (
            "paiement",
            operation,
            f"{reste // 100}.{reste % 100:02d}",
            {"type": kind, "numero": bilan.numero},
        )
    ]
    if dice.random() < 0.2:
        acts.append(("reouverture_controle", operation, bilan.numero, {}))
    return acts
