-- The guard rows: what each enveloppe was given, what programming holds of it. Their CHECK is the
-- last word on the ceiling, whatever two decisions saw at the same time.
CREATE OR REPLACE FUNCTION oi.project_enveloppe(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved record;
BEGIN
    FOR moved IN
        SELECT
            c.sg_id, (c.cellule -> 'ligne' ->> 'annee')::integer AS annee,
            c.cellule -> 'ligne' ->> 'axe' AS axe,
            c.cellule -> 'ligne' ->> 'objectif_specifique' AS objectif_specifique,
            c.cellule -> 'ligne' ->> 'dispositif' AS dispositif,
            c.cellule ->> 'plie_id' AS plie_id,
            sum(c.alloue) AS alloue, sum(c.programme) AS programme
        FROM (
            SELECT e.stream_id, e.data -> 'cellule', (e.data ->> 'fse_centimes')::bigint, 0
            FROM oi.event AS e
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.enveloppe_plie_notifiee.v1'
            UNION ALL
            SELECT
                e.stream_id,
                jsonb_build_object('ligne', e.data -> 'ligne', 'plie_id', 'reserve'),
                (e.data ->> 'fse_centimes')::bigint, 0
            FROM oi.event AS e
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.reserve_constituee.v1'
            UNION ALL
            SELECT e.stream_id, t.cellule, t.sens * (e.data ->> 'fse_centimes')::bigint, 0
            FROM oi.event AS e,
                LATERAL (VALUES (e.data -> 'de', -1), (e.data -> 'vers', 1)) AS t (cellule, sens)
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.transfert_enveloppe_decide.v1'
            UNION ALL
            SELECT e.stream_id, a.ecart -> 'cellule', (a.ecart ->> 'fse_centimes')::bigint, 0
            FROM oi.event AS e, jsonb_array_elements(e.data -> 'ecarts') AS a (ecart)
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.avenant_signe.v1'
                AND a.ecart -> 'cellule' ->> 'plie_id' <> 'non_reparti'
            UNION ALL
            SELECT e.stream_id, e.data -> 'cellule', 0, (e.data ->> 'fse_centimes')::bigint
            FROM oi.event AS e
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.enveloppe_reservee.v1'
            UNION ALL
            SELECT e.stream_id, e.data -> 'cellule', 0, -(e.data ->> 'fse_centimes')::bigint
            FROM oi.event AS e
            WHERE e.position BETWEEN lo AND hi
                AND e.name = 'subvention_globale.enveloppe_liberee.v1'
        ) AS c (sg_id, cellule, alloue, programme)
        GROUP BY c.sg_id, c.cellule
        ORDER BY c.sg_id, c.cellule
    LOOP
        -- Two steps, because a CHECK judges the row proposed to INSERT before any ON CONFLICT.
        INSERT INTO enveloppe (sg_id, annee, axe, objectif_specifique, dispositif, plie_id)
        VALUES (
            moved.sg_id, moved.annee, moved.axe, moved.objectif_specifique, moved.dispositif,
            moved.plie_id)
        ON CONFLICT DO NOTHING;

        UPDATE enveloppe AS v
        SET alloue_centimes = v.alloue_centimes + moved.alloue,
            programme_centimes = v.programme_centimes + moved.programme
        WHERE v.sg_id = moved.sg_id AND v.annee = moved.annee AND v.axe = moved.axe
            AND v.objectif_specifique = moved.objectif_specifique
            AND v.dispositif = moved.dispositif AND v.plie_id = moved.plie_id;
    END LOOP;
END
$$;
