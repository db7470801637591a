-- Past operations taken over from lists, and their movements: measures of their own, because no
-- committee of this OI programmed them and no enveloppe paid for them.
CREATE OR REPLACE FUNCTION oi.project_reprise(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reprise
    SELECT
        e.stream_id, (e.data -> 'cadre' ->> 'subvention_globale_id')::uuid,
        e.data -> 'cadre' ->> 'oi_id', e.data -> 'cadre' ->> 'reglement', e.data ->> 'programme',
        e.data ->> 'intitule', e.data ->> 'beneficiaire', e.data ->> 'code_postal',
        (e.data -> 'periode' ->> 'debut')::date, (e.data -> 'periode' ->> 'fin')::date,
        (e.data ->> 'date_programmation')::date,
        (e.data ->> 'cout_total_eligible_centimes')::bigint, (e.data ->> 'fse_centimes')::bigint,
        e.data ->> 'pays', e.data ->> 'categorie_intervention', e.data ->> 'fonds',
        ARRAY(
            SELECT a.anomalie ->> 'code'
            FROM jsonb_array_elements(e.data -> 'anomalies') WITH ORDINALITY AS a (anomalie, rang)
            ORDER BY a.rang),
        e.data -> 'source' ->> 'fichier', e.data -> 'source' ->> 'sha256',
        (e.data -> 'source' ->> 'ligne')::integer, e.data -> 'source' ->> 'reference',
        NULL, NULL, e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'reprise.operation_reprise.v1';

    UPDATE reprise AS r
    SET annulee_le = e.date_effet, annulee_position = e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'reprise.annulee.v1' AND r.id = e.stream_id;

    INSERT INTO mouvement (
        position, rang, mesure, centimes, sg_id, plie_id, annee, axe, objectif_specifique,
        dispositif, operation_id, financeur_type, financeur, date_effet
    )
    SELECT
        e.position, row_number() OVER (PARTITION BY e.position ORDER BY m.mesure), m.mesure,
        m.centimes, r.sg_id, 'reprise', extract(year FROM r.date_programmation)::integer,
        r.programme, '', 'reprise', NULL, NULL, NULL, e.date_effet
    FROM (
        SELECT
            position, stream_id, date_effet, (data ->> 'fse_centimes')::bigint AS fse,
            (data ->> 'cout_total_eligible_centimes')::bigint AS ct,
            CASE name WHEN 'reprise.annulee.v1' THEN -1 ELSE 1 END AS sens
        FROM oi.event
        WHERE position BETWEEN lo AND hi
            AND name IN ('reprise.operation_reprise.v1', 'reprise.annulee.v1')
    ) AS e
    INNER JOIN reprise AS r ON e.stream_id = r.id,
        LATERAL (VALUES ('fse_repris', e.sens * e.fse), ('ct_repris', e.sens * e.ct))
            AS m (mesure, centimes)
    WHERE m.centimes <> 0;
END
$$;
