-- Contreparties: granted, received, affected to operations.
CREATE OR REPLACE FUNCTION oi.project_contrepartie(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contrepartie
    SELECT
        e.stream_id, (e.data -> 'cadre' ->> 'subvention_globale_id')::uuid, e.data ->> 'type',
        e.data ->> 'financeur', e.data ->> 'plie_id', (e.data ->> 'annee')::integer,
        (e.data ->> 'montant_centimes')::bigint, 0, 0, e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'contrepartie.attribuee.v1';

    UPDATE contrepartie AS c
    SET attribue_centimes = c.attribue_centimes - m.annule,
        percu_centimes = c.percu_centimes + m.percu,
        affecte_centimes = c.affecte_centimes + m.affecte
    FROM (
        SELECT
            e.stream_id,
            coalesce(sum((e.data ->> 'montant_centimes')::bigint)
                FILTER (WHERE e.name = 'contrepartie.attribution_annulee.v1'), 0) AS annule,
            coalesce(sum(
                CASE e.name
                    WHEN 'contrepartie.percue.v1' THEN 1
                    WHEN 'contrepartie.perception_annulee.v1' THEN -1
                    ELSE 0
                END * (e.data ->> 'montant_centimes')::bigint), 0) AS percu,
            coalesce(sum(
                CASE e.name
                    WHEN 'contrepartie.affectee.v1' THEN 1
                    WHEN 'contrepartie.affectation_annulee.v1' THEN -1
                    ELSE 0
                END * (e.data ->> 'montant_centimes')::bigint), 0) AS affecte
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name LIKE 'contrepartie.%'
        GROUP BY e.stream_id
    ) AS m
    WHERE c.id = m.stream_id;

    INSERT INTO affectation AS a (contrepartie_id, operation_id, montant_centimes)
    SELECT
        e.stream_id, (e.data ->> 'operation_id')::uuid,
        sum(CASE e.name WHEN 'contrepartie.affectee.v1' THEN 1 ELSE -1 END
            * (e.data ->> 'montant_centimes')::bigint)
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi
        AND e.name IN ('contrepartie.affectee.v1', 'contrepartie.affectation_annulee.v1')
    GROUP BY e.stream_id, e.data ->> 'operation_id'
    ON CONFLICT (contrepartie_id, operation_id)
    DO UPDATE SET montant_centimes = a.montant_centimes + excluded.montant_centimes;
END
$$;
