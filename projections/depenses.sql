-- Dépenses: what was declared, in which bilan, what the control kept.
--
-- What happened to dépenses between two positions, one row a dépense: the last word of the range.
CREATE OR REPLACE FUNCTION oi.depenses_corrigees(lo bigint, hi bigint)
RETURNS TABLE (stream_id uuid, detail jsonb)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (e.stream_id) e.stream_id, e.data -> 'apres'
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.corrigee.v1'
    ORDER BY e.stream_id, e.position DESC
$$;

CREATE OR REPLACE FUNCTION oi.depenses_controlees(lo bigint, hi bigint)
RETURNS TABLE (
    stream_id uuid, version integer, csf_id uuid, retenu_centimes bigint, ecarte_centimes bigint,
    motif_code text
)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (e.stream_id)
        e.stream_id, e.version, (e.data ->> 'csf_id')::uuid,
        (e.data ->> 'montant_retenu_centimes')::bigint,
        (e.data ->> 'montant_ecarte_centimes')::bigint, e.data ->> 'motif_code'
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.controlee.v1'
    ORDER BY e.stream_id, e.position DESC
$$;

-- Where each dépense stands in its stream, for what happens to few of them.
CREATE OR REPLACE FUNCTION oi.depenses_versions(lo bigint, hi bigint)
RETURNS TABLE (stream_id uuid, version integer)
LANGUAGE sql STABLE AS $$
    SELECT e.stream_id, max(e.version)
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi
        AND e.name IN (
            'depense.corrigee.v1', 'depense.annulee.v1', 'depense.regularisee.v1',
            'depense.pieces_jointes.v1')
    GROUP BY e.stream_id
$$;

-- A bilan takes dépenses; sent back, it frees them.
CREATE OR REPLACE FUNCTION oi.depenses_liees(lo bigint, hi bigint)
RETURNS TABLE (depense_id uuid, bilan_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (d.id) d.id::uuid, CASE WHEN r.position IS NULL THEN b.bilan_id END
    FROM (
        -- OFFSET keeps each bilan unpacked once, and not for each of its dépenses.
        SELECT e.position, (e.data ->> 'bilan_id')::uuid AS bilan_id, e.data -> 'depenses' AS depenses
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name = 'convention.bilan_depose.v1'
        OFFSET 0
    ) AS b
    LEFT JOIN oi.event AS r
        ON r.position BETWEEN lo AND hi AND r.position > b.position
            AND r.name = 'convention.bilan_renvoye.v1'
            AND (r.data ->> 'bilan_id')::uuid = b.bilan_id,
        jsonb_array_elements_text(b.depenses) AS d (id)
    ORDER BY d.id, b.position DESC
$$;

-- A dépense that begins between lo and hi is written once, as the events of this range leave it:
-- a rebuild has nothing to come back to. One that began before is brought up to date.
CREATE OR REPLACE FUNCTION oi.project_depense(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi
            AND (e.name LIKE 'depense.%' OR e.name LIKE 'convention.bilan\_%')
    ) THEN
        RETURN;
    END IF;

    INSERT INTO depense
    SELECT
        e.stream_id, (e.data ->> 'operation_id')::uuid, d.poste, d.nature, d.tiers_ref, d.piece_ref,
        d.date_piece, d.date_realisation, d.date_acquittement, d.montant_impute_centimes,
        CASE WHEN x.stream_id IS NOT NULL THEN 'annulee'
            WHEN k.stream_id IS NOT NULL THEN 'controlee'
            ELSE 'declaree' END,
        l.bilan_id, k.csf_id, k.retenu_centimes, k.ecarte_centimes, k.motif_code,
        greatest(e.version, k.version, v.version), e.position
    FROM oi.event AS e
    LEFT JOIN oi.depenses_corrigees(lo, hi) AS c ON e.stream_id = c.stream_id
    LEFT JOIN oi.depenses_controlees(lo, hi) AS k ON e.stream_id = k.stream_id
    LEFT JOIN oi.event AS x
        ON e.stream_id = x.stream_id AND x.position BETWEEN lo AND hi
            AND x.name = 'depense.annulee.v1'
    LEFT JOIN oi.depenses_versions(lo, hi) AS v ON e.stream_id = v.stream_id
    LEFT JOIN oi.depenses_liees(lo, hi) AS l ON e.stream_id = l.depense_id,
        LATERAL jsonb_to_record(coalesce(c.detail, e.data -> 'detail')) AS d (
            poste text, nature text, tiers_ref text, piece_ref text, date_piece date,
            date_realisation date, date_acquittement date, montant_impute_centimes bigint)
    WHERE e.position BETWEEN lo AND hi AND e.name = 'depense.declaree.v1';

    IF lo = 1 OR NOT EXISTS (
        SELECT FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name <> 'depense.declaree.v1'
    ) THEN
        RETURN;
    END IF;

    UPDATE depense AS p
    SET poste = d.poste, nature = d.nature, tiers_ref = d.tiers_ref, piece_ref = d.piece_ref,
        date_piece = d.date_piece, date_realisation = d.date_realisation,
        date_acquittement = d.date_acquittement,
        montant_impute_centimes = d.montant_impute_centimes
    FROM oi.depenses_corrigees(lo, hi) AS c,
        LATERAL jsonb_to_record(c.detail) AS d (
            poste text, nature text, tiers_ref text, piece_ref text, date_piece date,
            date_realisation date, date_acquittement date, montant_impute_centimes bigint)
    WHERE p.id = c.stream_id AND p.position < lo;

    UPDATE depense AS p
    SET statut = 'controlee', csf_id = k.csf_id, retenu_centimes = k.retenu_centimes,
        ecarte_centimes = k.ecarte_centimes, motif_code = k.motif_code,
        version = greatest(p.version, k.version)
    FROM oi.depenses_controlees(lo, hi) AS k
    WHERE p.id = k.stream_id AND p.position < lo;

    UPDATE depense AS p
    SET statut = 'annulee'
    FROM oi.event AS x
    WHERE x.position BETWEEN lo AND hi AND x.name = 'depense.annulee.v1'
        AND p.id = x.stream_id AND p.position < lo;

    UPDATE depense AS p
    SET version = greatest(p.version, v.version)
    FROM oi.depenses_versions(lo, hi) AS v
    WHERE p.id = v.stream_id AND p.position < lo;

    UPDATE depense AS p
    SET bilan_id = l.bilan_id
    FROM oi.depenses_liees(lo, hi) AS l
    WHERE p.id = l.depense_id AND p.position < lo;

    UPDATE depense AS p
    SET bilan_id = NULL
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'convention.bilan_renvoye.v1'
        AND p.bilan_id = (e.data ->> 'bilan_id')::uuid AND p.position < lo;
END
$$;

-- The dépenses of an operation as known at a position and effective on a day. Its convention, whose
-- bilans take them, is named by the caller.
CREATE OR REPLACE FUNCTION oi.depenses_au(
    operation uuid, convention uuid, connu_le bigint, effet_au date
)
RETURNS SETOF projection.depense
LANGUAGE sql STABLE AS $$
    WITH vus AS (
        SELECT e.stream_id, e.version, e.name, e.data, e.position
        FROM oi.event AS e
        WHERE e.position <= connu_le AND e.date_effet <= effet_au
            AND (e.stream_id = convention OR e.stream_id IN (
                SELECT p.id FROM projection.depense AS p WHERE p.operation_id = operation))
    ),

    dernier AS (
        SELECT DISTINCT ON (v.stream_id, v.name) v.stream_id, v.name, v.data
        FROM vus AS v WHERE v.name LIKE 'depense.%'
        ORDER BY v.stream_id, v.name, v.version DESC
    )

    SELECT
        d.stream_id, operation, f.poste, f.nature, f.tiers_ref, f.piece_ref, f.date_piece,
        f.date_realisation, f.date_acquittement, f.montant_impute_centimes,
        CASE WHEN x.stream_id IS NOT NULL THEN 'annulee'
            WHEN k.stream_id IS NOT NULL THEN 'controlee'
            ELSE 'declaree' END,
        (
            SELECT CASE WHEN EXISTS (
                SELECT FROM vus AS r
                WHERE r.name = 'convention.bilan_renvoye.v1' AND r.version > b.version
                    AND r.data ->> 'bilan_id' = b.data ->> 'bilan_id'
            ) THEN NULL ELSE (b.data ->> 'bilan_id')::uuid END
            FROM vus AS b
            WHERE b.name = 'convention.bilan_depose.v1' AND b.data -> 'depenses' ? d.stream_id::text
            ORDER BY b.version DESC LIMIT 1
        ),
        (k.data ->> 'csf_id')::uuid, (k.data ->> 'montant_retenu_centimes')::bigint,
        (k.data ->> 'montant_ecarte_centimes')::bigint, k.data ->> 'motif_code',
        (SELECT max(v.version) FROM vus AS v WHERE v.stream_id = d.stream_id), d.position
    FROM vus AS d
    LEFT JOIN dernier AS c ON d.stream_id = c.stream_id AND c.name = 'depense.corrigee.v1'
    LEFT JOIN dernier AS k ON d.stream_id = k.stream_id AND k.name = 'depense.controlee.v1'
    LEFT JOIN dernier AS x ON d.stream_id = x.stream_id AND x.name = 'depense.annulee.v1',
        LATERAL jsonb_to_record(coalesce(c.data -> 'apres', d.data -> 'detail')) AS f (
            poste text, nature text, tiers_ref text, piece_ref text, date_piece date,
            date_realisation date, date_acquittement date, montant_impute_centimes bigint)
    WHERE d.name = 'depense.declaree.v1'
$$;

-- Every dépense of the log as known at a position and effective on a day: what `oi.depenses_au` says
-- of one operation, said of all. What stands now is right for those of which everything counts; the
-- others (``hors``) are read again from the log.
CREATE OR REPLACE FUNCTION oi.toutes_depenses_au(connu_le bigint, effet_au date)
RETURNS SETOF projection.depense
LANGUAGE sql STABLE AS $$
    WITH pas_comptes AS MATERIALIZED (
        SELECT e.stream_id, e.name, e.data
        FROM oi.event AS e
        WHERE e.name IN (
                'depense.declaree.v1', 'depense.corrigee.v1', 'depense.controlee.v1',
                'depense.annulee.v1', 'depense.regularisee.v1', 'depense.pieces_jointes.v1',
                'convention.bilan_depose.v1', 'convention.bilan_renvoye.v1')
            AND (e.position > connu_le OR e.date_effet > effet_au)
    ),

    hors AS MATERIALIZED (
        SELECT p.stream_id AS id FROM pas_comptes AS p WHERE p.name LIKE 'depense.%'
        UNION
        SELECT d.id::uuid
        FROM pas_comptes AS p, jsonb_array_elements_text(p.data -> 'depenses') AS d (id)
        WHERE p.name = 'convention.bilan_depose.v1'
        UNION
        SELECT d.id::uuid
        FROM pas_comptes AS p
        INNER JOIN oi.event AS b
            ON p.stream_id = b.stream_id AND b.name = 'convention.bilan_depose.v1'
                AND b.data ->> 'bilan_id' = p.data ->> 'bilan_id',
            jsonb_array_elements_text(b.data -> 'depenses') AS d (id)
        WHERE p.name = 'convention.bilan_renvoye.v1'
    ),

    dernier AS (
        SELECT DISTINCT ON (e.stream_id, e.name) e.stream_id, e.name, e.data
        FROM oi.event AS e INNER JOIN hors AS h ON e.stream_id = h.id
        WHERE e.name IN ('depense.corrigee.v1', 'depense.controlee.v1', 'depense.annulee.v1')
            AND e.position <= connu_le AND e.date_effet <= effet_au
        ORDER BY e.stream_id, e.name, e.version DESC
    ),

    versions AS (
        SELECT e.stream_id, max(e.version) AS version
        FROM oi.event AS e INNER JOIN hors AS h ON e.stream_id = h.id
        WHERE e.position <= connu_le AND e.date_effet <= effet_au
        GROUP BY e.stream_id
    ),

    liees AS (
        SELECT DISTINCT ON (d.id) d.id::uuid AS depense_id,
            CASE WHEN NOT EXISTS (
                SELECT FROM oi.event AS r
                WHERE r.stream_id = b.stream_id AND r.name = 'convention.bilan_renvoye.v1'
                    AND r.version > b.version AND r.position <= connu_le
                    AND r.date_effet <= effet_au AND (r.data ->> 'bilan_id')::uuid = b.bilan_id
            ) THEN b.bilan_id END AS bilan_id
        FROM (
            -- OFFSET keeps each bilan unpacked once, and not for each of its dépenses.
            SELECT e.stream_id, e.version, (e.data ->> 'bilan_id')::uuid AS bilan_id,
                e.data -> 'depenses' AS depenses
            FROM oi.event AS e
            WHERE e.name = 'convention.bilan_depose.v1'
                AND e.position <= connu_le AND e.date_effet <= effet_au
                AND EXISTS (SELECT FROM hors)
            OFFSET 0
        ) AS b, jsonb_array_elements_text(b.depenses) AS d (id)
        INNER JOIN hors AS h ON d.id::uuid = h.id
        ORDER BY d.id, b.version DESC
    )

    SELECT p.* FROM projection.depense AS p
    WHERE NOT EXISTS (SELECT FROM hors AS h WHERE h.id = p.id)
    UNION ALL
    SELECT
        e.stream_id, (e.data ->> 'operation_id')::uuid, f.poste, f.nature, f.tiers_ref, f.piece_ref,
        f.date_piece, f.date_realisation, f.date_acquittement, f.montant_impute_centimes,
        CASE WHEN x.stream_id IS NOT NULL THEN 'annulee'
            WHEN k.stream_id IS NOT NULL THEN 'controlee'
            ELSE 'declaree' END,
        l.bilan_id, (k.data ->> 'csf_id')::uuid, (k.data ->> 'montant_retenu_centimes')::bigint,
        (k.data ->> 'montant_ecarte_centimes')::bigint, k.data ->> 'motif_code',
        v.version, e.position
    FROM oi.event AS e
    INNER JOIN hors AS h ON e.stream_id = h.id
    LEFT JOIN dernier AS c ON e.stream_id = c.stream_id AND c.name = 'depense.corrigee.v1'
    LEFT JOIN dernier AS k ON e.stream_id = k.stream_id AND k.name = 'depense.controlee.v1'
    LEFT JOIN dernier AS x ON e.stream_id = x.stream_id AND x.name = 'depense.annulee.v1'
    LEFT JOIN versions AS v ON e.stream_id = v.stream_id
    LEFT JOIN liees AS l ON e.stream_id = l.depense_id,
        LATERAL jsonb_to_record(coalesce(c.data -> 'apres', e.data -> 'detail')) AS f (
            poste text, nature text, tiers_ref text, piece_ref text, date_piece date,
            date_realisation date, date_acquittement date, montant_impute_centimes bigint)
    WHERE e.name = 'depense.declaree.v1' AND e.position <= connu_le AND e.date_effet <= effet_au
$$;
