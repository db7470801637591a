-- Dépenses: what was declared, in which bilan, what the control kept.
CREATE OR REPLACE FUNCTION oi.project_depense(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO depense
    SELECT
        e.stream_id, (e.data ->> 'operation_id')::uuid, d.detail ->> 'poste', d.detail ->> 'nature',
        d.detail ->> 'tiers_ref', d.detail ->> 'piece_ref', (d.detail ->> 'date_piece')::date,
        (d.detail ->> 'date_realisation')::date, (d.detail ->> 'date_acquittement')::date,
        (d.detail ->> 'montant_impute_centimes')::bigint, 'declaree', NULL, NULL, NULL, NULL, NULL,
        e.version, e.position
    FROM oi.event AS e, LATERAL (SELECT e.data -> 'detail' AS detail) AS d
    WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.declaree.v1';

    IF NOT EXISTS (
        SELECT FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name LIKE 'depense.%'
            AND e.name <> 'depense.declaree.v1'
    ) THEN
        RETURN;
    END IF;

    UPDATE depense AS p
    SET poste = c.detail ->> 'poste', nature = c.detail ->> 'nature',
        tiers_ref = c.detail ->> 'tiers_ref', piece_ref = c.detail ->> 'piece_ref',
        date_piece = (c.detail ->> 'date_piece')::date,
        date_realisation = (c.detail ->> 'date_realisation')::date,
        date_acquittement = (c.detail ->> 'date_acquittement')::date,
        montant_impute_centimes = (c.detail ->> 'montant_impute_centimes')::bigint
    FROM (
        SELECT DISTINCT ON (e.stream_id) e.stream_id, e.data -> 'apres' AS detail
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.corrigee.v1'
        ORDER BY e.stream_id, e.position DESC
    ) AS c
    WHERE p.id = c.stream_id;

    UPDATE depense AS p
    SET statut = 'annulee'
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.annulee.v1' AND p.id = e.stream_id;

    UPDATE depense AS p
    SET statut = 'controlee', csf_id = (c.data ->> 'csf_id')::uuid,
        retenu_centimes = (c.data ->> 'montant_retenu_centimes')::bigint,
        ecarte_centimes = (c.data ->> 'montant_ecarte_centimes')::bigint,
        motif_code = c.data ->> 'motif_code'
    FROM (
        SELECT DISTINCT ON (e.stream_id) e.stream_id, e.data
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.controlee.v1'
        ORDER BY e.stream_id, e.position DESC
    ) AS c
    WHERE p.id = c.stream_id;

    UPDATE depense AS p
    SET version = v.version
    FROM (
        SELECT e.stream_id, max(e.version) AS version
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name LIKE 'depense.%'
        GROUP BY e.stream_id
    ) AS v
    WHERE p.id = v.stream_id;
END
$$;

-- A bilan takes dépenses; sent back, it frees them.
CREATE OR REPLACE FUNCTION oi.project_bilan(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE depense AS p
    SET bilan_id = b.bilan_id
    FROM (
        SELECT DISTINCT ON (d.id) d.id::uuid AS id, (e.data ->> 'bilan_id')::uuid AS bilan_id
        FROM oi.event AS e, jsonb_array_elements_text(e.data -> 'depenses') AS d (id)
        WHERE e.position BETWEEN lo AND hi AND e.name = 'convention.bilan_depose.v1'
        ORDER BY d.id, e.position DESC
    ) AS b
    WHERE p.id = b.id;

    UPDATE depense AS p
    SET bilan_id = NULL
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'convention.bilan_renvoye.v1'
        AND p.bilan_id = (e.data ->> 'bilan_id')::uuid;
END
$$;
