"""Which events an archive holds: the dossiers asked for, and all that explains their figures."""

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.preuve.archive.demande import Demande, flux_propres

#: Facts of the register that tell which keys signed.
_CLES = ("registre.cle_etablie.v1", "registre.cle_changee.v1")


def positions(conn: Connection[TupleRow], demande: Demande, taille: int) -> list[int]:
    """Return the events of a dossier or of a PLIE, in the order of the log.

    For each dossier: its own streams; what moved its amounts from elsewhere; its call for
    projects; the contreparties affected to it, as far as it is concerned; the audits that take it;
    of the grant, its signature and avenants, the tranche, what moves the cell of the maquette that
    the dossier is in, and what was reserved for the dossier there. For a PLIE also: all that
    names it. For both: the keys up to the point of that size, so that its signature can be
    followed.
    """
    rows = conn.execute(
        _REQUETE,
        {
            "operations": [d.id for d in demande.dossiers],
            "propres": flux_propres(demande.dossiers),
            "plie": demande.plie,
            "cles": list(_CLES),
            "jusqu_a": demande.jusqu_a,
            "taille": taille,
        },
    )
    return [position for (position,) in rows]


_REQUETE = """
    WITH dossier AS (
        SELECT o.* FROM projection.operation AS o WHERE o.id = ANY(%(operations)s)
    ),

    grant_seen AS (
        SELECT d.sg_id AS id FROM dossier AS d
        UNION
        SELECT p.sg_id FROM projection.plie AS p WHERE p.plie_id = %(plie)s
    ),

    flux AS (
        SELECT unnest(%(propres)s::uuid[]) AS id
        UNION
        SELECT p.id FROM projection.depense AS p INNER JOIN dossier AS d ON p.operation_id = d.id
        UNION
        SELECT d.appel_a_projets_id FROM dossier AS d
        UNION
        SELECT c.id FROM projection.contrepartie AS c WHERE c.plie_id = %(plie)s
    ),

    soutien AS (
        SELECT DISTINCT a.contrepartie_id AS id
        FROM projection.affectation AS a INNER JOIN dossier AS d ON a.operation_id = d.id
    ),

    trouve AS (
        SELECT e.position FROM oi.event AS e INNER JOIN flux AS f ON e.stream_id = f.id

        UNION
        SELECT m.position
        FROM projection.mouvement AS m INNER JOIN dossier AS d ON m.operation_id = d.id

        UNION
        SELECT m.position FROM projection.mouvement AS m
        INNER JOIN grant_seen AS g ON m.sg_id = g.id
        WHERE m.plie_id = %(plie)s

        -- As in the story of a dossier: what an audit finds on others is not of this archive.
        UNION
        SELECT e.position
        FROM projection.controle_perimetre AS p
        INNER JOIN dossier AS d ON p.operation_id = d.id
        INNER JOIN oi.event AS e ON p.controle_id = e.stream_id
        WHERE e.data -> 'constat_numero' IS NULL OR EXISTS (
            SELECT FROM projection.controle_constat AS k
            WHERE k.controle_id = p.controle_id AND k.operation_id = p.operation_id
                AND k.numero = (e.data ->> 'constat_numero')::integer)

        -- What others hold of the same contrepartie is not of this archive.
        UNION
        SELECT e.position FROM oi.event AS e INNER JOIN soutien AS s ON e.stream_id = s.id
        WHERE e.name IN (
            'contrepartie.attribuee.v1', 'contrepartie.percue.v1',
            'contrepartie.perception_annulee.v1', 'contrepartie.attribution_annulee.v1')

        UNION
        SELECT e.position
        FROM oi.event AS e
        INNER JOIN grant_seen AS g ON e.stream_id = g.id
        WHERE e.name = 'subvention_globale.conventionnee.v1'
            OR e.name = 'subvention_globale.avenant_signe.v1'
            OR e.data ->> 'plie_id' = %(plie)s
            OR e.data -> 'cellule' ->> 'plie_id' = %(plie)s
            OR e.data -> 'de' ->> 'plie_id' = %(plie)s
            OR e.data -> 'vers' ->> 'plie_id' = %(plie)s

        UNION
        SELECT e.position
        FROM dossier AS d
        INNER JOIN oi.event AS e ON e.stream_id = d.sg_id
        CROSS JOIN LATERAL (
            SELECT jsonb_build_object('plie_id', d.plie_id, 'ligne', jsonb_build_object(
                'annee', d.annee, 'axe', d.axe, 'objectif_specifique', d.objectif_specifique,
                'dispositif', d.dispositif)) AS cellule
        ) AS c
        WHERE (e.data ->> 'operation_id')::uuid = d.id
            OR (e.name = 'subvention_globale.tranche_ouverte.v1'
                AND (e.data ->> 'annee')::integer = d.annee)
            OR (e.name <> 'subvention_globale.enveloppe_reservee.v1'
                AND e.name <> 'subvention_globale.enveloppe_liberee.v1'
                AND (e.data -> 'cellule' @> c.cellule
                    OR e.data -> 'de' @> c.cellule OR e.data -> 'vers' @> c.cellule))
    )

    SELECT t.position FROM trouve AS t WHERE t.position <= %(jusqu_a)s
    UNION
    SELECT e.position FROM oi.event AS e
    WHERE e.name = ANY(%(cles)s) AND e.position <= %(taille)s
    ORDER BY 1
"""
