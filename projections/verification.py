"""`oi verifier`: the invariants of the books, each a query that must return nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection, sql


@dataclass(frozen=True, slots=True)
class Invariant:
    """A statement that must always hold.

    ``requete`` returns one row per violation: what it is about, then the figures that disagree
    (cents), in the order of ``colonnes``.
    """

    code: str
    enonce: str
    colonnes: tuple[str, ...]
    requete: str


@dataclass(slots=True)
class Controle:
    """A point that was checked, and what does not hold."""

    code: str
    enonce: str
    ecarts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, and where."""

    invariant: Invariant
    valeurs: tuple[Any, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        found = ", ".join(
            f"{name} = {value}"
            for name, value in zip(self.invariant.colonnes, self.valeurs, strict=True)
        )
        return f"{self.invariant.code} {self.invariant.enonce} : {found}"


INVARIANTS = (
    Invariant(
        "J1",
        "Les positions du journal se suivent sans trou depuis 1",
        ("premiere", "derniere", "nombre", "tete"),
        """
        SELECT coalesce(min(e.position), 0), coalesce(max(e.position), 0), count(e.position),
            max(h.position)
        FROM oi.head AS h LEFT JOIN oi.event AS e ON true
        HAVING count(e.position) <> max(h.position)
            OR coalesce(max(e.position), 0) <> max(h.position)
            OR coalesce(min(e.position), 1) <> 1
        """,
    ),
    Invariant(
        "J2",
        "Les versions de chaque flux se suivent sans trou depuis 1",
        ("flux", "nombre", "derniere"),
        """
        SELECT stream_id, count(*), max(version) FROM oi.event
        GROUP BY stream_id HAVING count(*) <> max(version) OR min(version) <> 1
        """,
    ),
    Invariant(
        "J3",
        "Chaque commande acceptée désigne exactement ses événements",
        ("commande", "premiere", "derniere", "nombre"),
        """
        SELECT c.command_id, c.first_position, c.last_position, count(e.position)
        FROM oi.command AS c LEFT JOIN oi.event AS e ON e.command_id = c.command_id
            AND e.position BETWEEN c.first_position AND c.last_position
        GROUP BY c.command_id, c.first_position, c.last_position
        HAVING count(e.position) <> c.last_position - c.first_position + 1
        """,
    ),
    Invariant(
        "J4",
        "L’instant d’enregistrement ne recule jamais",
        ("position", "enregistre_le", "precedent"),
        """
        SELECT position, enregistre_le, precedent FROM (
            SELECT position, enregistre_le,
                lag(enregistre_le) OVER (ORDER BY position) AS precedent
            FROM oi.event
        ) AS e WHERE enregistre_le < precedent
        """,
    ),
    Invariant(
        "M1",
        "La maquette totalise tranches ouvertes et avenants, et tient dans la subvention",
        ("subvention", "maquette", "subvention_fse"),
        """
        SELECT s.numero, coalesce(sum(m.centimes), 0), s.fse_total_centimes
        FROM projection.subvention_globale AS s LEFT JOIN projection.mouvement AS m
            ON m.sg_id = s.id AND m.mesure = 'fse_maquette'
        GROUP BY s.id, s.numero, s.fse_total_centimes
        HAVING coalesce(sum(m.centimes), 0) > s.fse_total_centimes
            OR coalesce(sum(m.centimes), 0) <> coalesce((
                SELECT sum((l.ligne ->> 'fse_centimes')::bigint)
                FROM oi.event AS e, jsonb_array_elements(e.data -> 'lignes') AS l (ligne)
                WHERE e.stream_id = s.id AND e.name = 'subvention_globale.tranche_ouverte.v1'), 0)
                + coalesce((
                SELECT sum((a.ecart ->> 'fse_centimes')::bigint)
                FROM oi.event AS e, jsonb_array_elements(e.data -> 'ecarts') AS a (ecart)
                WHERE e.stream_id = s.id AND e.name = 'subvention_globale.avenant_signe.v1'), 0)
        """,
    ),
    Invariant(
        "M2",
        "La somme des PLIE et de la réserve est celle de l’OI, pour chaque quantité",
        ("subvention", "mesure", "somme_oi", "somme_plie"),
        """
        SELECT m.sg_id, m.mesure, sum(m.centimes),
            coalesce(sum(m.centimes) FILTER (
                WHERE p.plie_id IS NOT NULL
                    OR m.plie_id IN ('reserve', 'non_reparti', 'mutualise', 'reprise')), 0)
        FROM projection.mouvement AS m LEFT JOIN projection.plie AS p
            ON p.sg_id = m.sg_id AND p.plie_id = m.plie_id
        GROUP BY m.sg_id, m.mesure
        HAVING sum(m.centimes) <> coalesce(sum(m.centimes) FILTER (
            WHERE p.plie_id IS NOT NULL
                OR m.plie_id IN ('reserve', 'non_reparti', 'mutualise', 'reprise')), 0)
        """,
    ),
    Invariant(
        "M4",
        "Ce qui vient d’une opération est posté sur la ligne de cette opération",
        ("operation", "mesure", "plie_poste", "plie"),
        """
        SELECT m.operation_id, m.mesure, m.plie_id, o.plie_id
        FROM projection.mouvement AS m LEFT JOIN projection.operation AS o ON o.id = m.operation_id
        WHERE m.operation_id IS NOT NULL
            AND (m.sg_id, m.plie_id, m.annee, m.axe, m.objectif_specifique, m.dispositif)
            IS DISTINCT FROM
            (o.sg_id, o.plie_id, o.annee, o.axe, o.objectif_specifique, o.dispositif)
        """,
    ),
    Invariant(
        "M3",
        "Le programmé ajusté de chaque enveloppe est ce que sa garde réserve, et n’en dépasse rien",
        ("plie", "annee", "os", "garde", "mouvements", "alloue"),
        """
        SELECT v.plie_id, v.annee, v.objectif_specifique, v.programme_centimes,
            coalesce(m.programme, 0), v.alloue_centimes
        FROM projection.enveloppe AS v FULL JOIN (
            SELECT sg_id, annee, axe, objectif_specifique, dispositif, plie_id,
                coalesce(sum(centimes) FILTER (WHERE mesure = 'fse_programme_ajuste'), 0)
                    AS programme,
                coalesce(sum(centimes) FILTER (WHERE mesure = 'fse_maquette'), 0) AS alloue
            FROM projection.mouvement WHERE plie_id <> 'non_reparti'
            GROUP BY sg_id, annee, axe, objectif_specifique, dispositif, plie_id
        ) AS m USING (sg_id, annee, axe, objectif_specifique, dispositif, plie_id)
        WHERE coalesce(v.programme_centimes, 0) <> coalesce(m.programme, 0)
            OR coalesce(v.alloue_centimes, 0) <> coalesce(m.alloue, 0)
            OR coalesce(v.programme_centimes, 0) > coalesce(v.alloue_centimes, 0)
        """,
    ),
    Invariant(
        "O1",
        "Coût total = FSE + contreparties, au programmé et au conventionné",
        ("operation", "ct_programme", "fse_cp_prog", "ct_conventionne", "fse_cp_conv"),
        """
        SELECT numero_mdfse, ct_programme, fse_programme + cp_programmee, ct_conventionne,
            fse_conventionne + cp_conventionnee
        FROM montants WHERE ct_programme <> fse_programme + cp_programmee
            OR ct_conventionne <> fse_conventionne + cp_conventionnee
        """,
    ),
    Invariant(
        "O2",
        "Programmé ≥ conventionné ≥ déclaré ≥ 0",
        ("operation", "programme", "conventionne", "declare"),
        """
        SELECT numero_mdfse, fse_programme, fse_conventionne, fse_declare FROM montants
        WHERE fse_programme < fse_conventionne OR fse_conventionne < fse_declare OR fse_declare < 0
        """,
    ),
    Invariant(
        "O3",
        "Conventionné ≥ retenu ≥ 0, transmis ≥ certifié ≥ 0, "
        "dépenses écartées ≤ dépenses déclarées",
        ("operation", "conventionne", "retenu", "transmis", "certifie", "declarees", "ecartees"),
        """
        SELECT numero_mdfse, fse_conventionne, fse_retenu_csf, fse_transmis, fse_certifie,
            depenses_declarees, depenses_ecartees
        FROM montants
        WHERE fse_conventionne < fse_retenu_csf OR fse_transmis < fse_certifie OR fse_certifie < 0
            OR fse_retenu_csf < 0 OR depenses_declarees < depenses_ecartees
        """,
    ),
    Invariant(
        "O4",
        "0 ≤ payé ≤ conventionné, et payé net = dû + irrécouvrable une fois l’opération soldée, "
        "sans suites en cours ni virement rejeté à payer de nouveau",
        ("operation", "statut", "paye", "retenu", "irrecouvrable", "conventionne"),
        """
        SELECT numero_mdfse, statut, fse_paye, fse_retenu_csf, fse_irrecouvrable, fse_conventionne
        FROM montants
        WHERE fse_paye < 0 OR fse_paye > fse_conventionne OR fse_irrecouvrable < 0
            OR (statut IN ('solde', 'cloture', 'archive')
                AND fse_paye <> fse_retenu_csf + fse_irrecouvrable
                AND coalesce((
                    SELECT e.name FROM oi.event AS e
                    WHERE e.stream_id = operation_id
                        AND e.name IN ('operation.suites_ouvertes.v1', 'operation.suites_closes.v1')
                    ORDER BY e.version DESC LIMIT 1), '') <> 'operation.suites_ouvertes.v1'
                AND NOT (statut = 'solde' AND fse_paye < fse_retenu_csf AND EXISTS (
                    SELECT FROM oi.event AS r
                    WHERE r.name = 'convention.paiement_rejete.v1'
                        AND (r.data ->> 'operation_id')::uuid = operation_id)))
        """,
    ),
    Invariant(
        "D1",
        "Chaque dépense contrôlée est retenue et écartée pour ce qui a été déclaré, une "
        "régularisation en entier",
        ("depense", "declare", "retenu", "ecarte", "motif"),
        """
        SELECT id, montant_impute_centimes, retenu_centimes, ecarte_centimes, motif_code
        FROM projection.depense
        WHERE statut = 'controlee' AND (
            retenu_centimes + ecarte_centimes <> montant_impute_centimes
            OR ecarte_centimes < 0
            OR retenu_centimes < least(montant_impute_centimes, 0)
            OR (montant_impute_centimes > 0
                AND (ecarte_centimes > 0) <> (motif_code IS NOT NULL))
            OR (montant_impute_centimes < 0 AND ecarte_centimes <> 0))
        """,
    ),
    Invariant(
        "D2",
        "Une régularisation reprend au plus ce qu’une dépense de la même opération a apporté",
        ("depense", "declare", "retenu", "repris", "note"),
        """
        SELECT d.id, d.montant_impute_centimes, d.retenu_centimes, r.repris, r.note
        FROM projection.depense AS d INNER JOIN (
            SELECT e.stream_id, sum((e.data ->> 'montant_centimes')::bigint) AS note,
                coalesce(sum(p.montant_impute_centimes) FILTER (
                    WHERE p.statut <> 'annulee' AND p.operation_id = d.operation_id
                        AND (e.data ->> 'montant_centimes')::bigint <> 0), 0) AS repris
            FROM (
                SELECT DISTINCT ON (stream_id, data ->> 'regularisation_id') stream_id, data
                FROM oi.event WHERE name = 'depense.regularisee.v1'
                ORDER BY stream_id, data ->> 'regularisation_id', position DESC
            ) AS e
            INNER JOIN projection.depense AS d ON d.id = e.stream_id
            INNER JOIN projection.depense AS p
                ON p.id = (e.data ->> 'regularisation_id')::uuid
            GROUP BY e.stream_id
        ) AS r ON r.stream_id = d.id
        WHERE r.repris <> r.note OR r.note > 0
            OR coalesce(d.retenu_centimes, d.montant_impute_centimes) + r.note < 0
        """,
    ),
    Invariant(
        "C1",
        "Une contrepartie n’est jamais affectée au-delà de ce qui est attribué",
        ("contrepartie", "attribue", "affecte", "affectations"),
        """
        SELECT c.id, c.attribue_centimes, c.affecte_centimes, coalesce(sum(a.montant_centimes), 0)
        FROM projection.contrepartie AS c LEFT JOIN projection.affectation AS a
            ON a.contrepartie_id = c.id
        GROUP BY c.id, c.attribue_centimes, c.affecte_centimes
        HAVING c.affecte_centimes > c.attribue_centimes
            OR c.affecte_centimes <> coalesce(sum(a.montant_centimes), 0)
        """,
    ),
    Invariant(
        "C2",
        "Les contreparties et le grand livre donnent les mêmes montants, financeur par financeur",
        ("subvention", "financeur", "attribue", "percu", "affecte", "mouvements"),
        """
        SELECT sg_id, financeur, attribue, percu, affecte, mouvements
        FROM (
            SELECT sg_id, type, financeur, sum(attribue_centimes) AS attribue,
                sum(percu_centimes) AS percu, sum(affecte_centimes) AS affecte
            FROM projection.contrepartie GROUP BY sg_id, type, financeur
        ) AS c FULL JOIN (
            SELECT sg_id, financeur_type AS type, financeur,
                array[
                    coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_attribuee'), 0),
                    coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_percue'), 0),
                    coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_affectee'), 0)
                ] AS mouvements
            FROM projection.mouvement
            WHERE mesure IN ('cp_attribuee', 'cp_percue', 'cp_affectee')
            GROUP BY sg_id, financeur_type, financeur
        ) AS m USING (sg_id, type, financeur)
        WHERE array[attribue, percu, affecte] IS DISTINCT FROM mouvements
        """,
    ),
    Invariant(
        "K1",
        "Contrôles d’opération : retenu ≤ proposé ≤ contrôlé, les constats extrapolés à part",
        (
            "reference",
            "constat",
            "ct_retenu",
            "ct_propose",
            "fse_retenu",
            "fse_propose",
            "controle",
        ),
        """
        SELECT c.reference, k.numero, k.ct_retenu_centimes, k.ct_propose_centimes,
            k.fse_retenu_centimes, k.fse_propose_centimes, p.ct_controle_centimes
        FROM projection.controle_constat AS k
        INNER JOIN projection.controle_operation AS c ON k.controle_id = c.id
        LEFT JOIN projection.controle_perimetre AS p
            ON k.controle_id = p.controle_id AND k.operation_id = p.operation_id
        CROSS JOIN LATERAL (
            SELECT coalesce(
                sum(coalesce(nullif(x.ct_propose_centimes, 0), x.fse_propose_centimes)), 0)
                AS propose
            FROM projection.controle_constat AS x
            WHERE x.controle_id = k.controle_id AND x.operation_id = k.operation_id
                AND NOT x.extrapole
        ) AS t
        WHERE k.ct_retenu_centimes > k.ct_propose_centimes
            OR k.fse_retenu_centimes > k.fse_propose_centimes
            OR p.ct_controle_centimes IS NULL OR t.propose > p.ct_controle_centimes
        """,
    ),
    Invariant(
        "K2",
        "Chaque suite exécutée d’un contrôle cite un fait de la convention, contrôle recalculé et "
        "validé, ordre ou retrait, qui retire au moins ce qu’elle en compte",
        ("suite", "fse_retire", "fse_du_fait", "ct_retire", "ct_du_fait"),
        """
        SELECT s.suite_id, s.fse, coalesce(c.fse, o.fse, r.fse), s.ct,
            coalesce(c.ct, o.ct, r.ct)
        FROM (
            SELECT e.data ->> 'suite_id' AS suite_id, e.data ->> 'operation_id' AS operation_id,
                l.lien, (l.lien ->> 'fse_retire_centimes')::bigint AS fse,
                (l.lien ->> 'cout_total_retire_centimes')::bigint AS ct
            FROM oi.event AS e, jsonb_array_elements(e.data -> 'liens') AS l (lien)
            WHERE e.name = 'controle_operation.suite_executee.v1'
        ) AS s
        LEFT JOIN (
            SELECT e.data ->> 'operation_id' AS operation_id, e.data ->> 'csf_id' AS csf_id,
                (e.data ->> 'version')::integer AS version,
                -(e.data ->> 'fse_du_periode_centimes')::bigint AS fse,
                greatest(
                    -(e.data ->> 'cout_total_retenu_periode_centimes')::bigint,
                    (e.data ->> 'depenses_ecartees_centimes')::bigint) AS ct
            FROM oi.event AS e WHERE e.name = 'convention.csf_valide.v1'
        ) AS c ON s.operation_id = c.operation_id AND s.lien ->> 'csf_id' = c.csf_id
            AND (s.lien ->> 'csf_version')::integer = c.version AND c.version > 1
        LEFT JOIN (
            SELECT n.data ->> 'operation_id' AS operation_id, e.data ->> 'ordre_id' AS ordre_id,
                (e.data ->> 'montant_centimes')::bigint AS fse, 0::bigint AS ct
            FROM oi.event AS e
            INNER JOIN oi.event AS n ON e.stream_id = n.stream_id AND n.version = 1
            WHERE e.name = 'convention.ordre_reversement_emis.v1'
        ) AS o ON s.operation_id = o.operation_id AND s.lien ->> 'ordre_id' = o.ordre_id
        LEFT JOIN (
            SELECT e.data ->> 'operation_id' AS operation_id,
                e.data ->> 'appel_de_fonds_no' AS appel_de_fonds_no,
                sum((e.data ->> 'fse_centimes')::bigint) AS fse,
                sum((e.data ->> 'cout_total_centimes')::bigint) AS ct
            FROM oi.event AS e WHERE e.name = 'convention.depense_retiree.v1'
            GROUP BY e.data ->> 'operation_id', e.data ->> 'appel_de_fonds_no'
        ) AS r ON s.operation_id = r.operation_id
            AND s.lien ->> 'appel_de_fonds_no' = r.appel_de_fonds_no
        WHERE coalesce(c.fse, o.fse, r.fse) IS NULL
            OR coalesce(c.fse, o.fse, r.fse) < s.fse OR coalesce(c.ct, o.ct, r.ct) < s.ct
            OR (s.lien ->> 'fse_impute_centimes')::bigint > greatest(s.fse, 0)
            OR (s.lien ->> 'cout_total_impute_centimes')::bigint > greatest(s.ct, 0)
        """,
    ),
    Invariant(
        "K3",
        "Un contrôle d’opération dont les suites sont closes n’a plus de suite à faire",
        ("controle", "suite", "echeance"),
        """
        SELECT c.reference, s.suite_id, s.echeance
        FROM projection.controle_suite AS s
        INNER JOIN projection.controle_operation AS c ON s.controle_id = c.id
        WHERE c.statut IN ('suites_closes', 'clos') AND s.statut = 'a_faire'
        """,
    ),
)


#: The amounts of each operation, that several invariants read.
_MONTANTS = """
WITH montants AS (
    SELECT o.numero_mdfse, o.statut, m.*
    FROM projection.operation AS o
    INNER JOIN oi.montants(9223372036854775807, 'infinity') AS m ON o.id = m.operation_id
)
"""


def violations(conn: Connection[Any]) -> Iterator[tuple[Invariant, list[Violation]]]:
    """Check every invariant in turn; an empty list means that it holds."""
    for invariant in INVARIANTS:
        rows = conn.execute(sql.SQL(_MONTANTS + invariant.requete)).fetchall()
        yield invariant, [Violation(invariant, tuple(row)) for row in rows]
