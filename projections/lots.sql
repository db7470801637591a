-- Lots: workbooks whose rows became facts in one act. A lot that is undone keeps its rows.
CREATE OR REPLACE FUNCTION oi.project_lot(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lot
    SELECT
        e.stream_id, (SELECT count(*) FROM lot) + row_number() OVER (ORDER BY e.position),
        (e.data -> 'cadre' ->> 'subvention_globale_id')::uuid, e.data ->> 'nature',
        (e.data ->> 'modele_version')::integer, e.data ->> 'fichier_sha256',
        e.data ->> 'fichier_format', (e.data ->> 'fichier_octets')::bigint,
        (e.data ->> 'lignes_lues')::integer, jsonb_array_length(e.data -> 'lignes'),
        jsonb_array_length(e.data -> 'ecartees'), (e.data ->> 'total_centimes')::bigint,
        (e.data ->> 'total_controle_centimes')::bigint,
        ARRAY(SELECT jsonb_array_elements_text(e.data -> 'operations')::uuid),
        ARRAY(SELECT jsonb_array_elements_text(e.data -> 'plies')),
        e.date_effet, NULL, NULL, e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'lot.importe.v1';

    INSERT INTO lot_ligne
    SELECT e.stream_id, x.feuille, x.ligne, x.flux, x.montant_centimes, coalesce(x.doublon, false)
    FROM oi.event AS e,
        LATERAL jsonb_to_recordset(e.data -> 'lignes') AS x (
            feuille text, ligne integer, flux uuid, montant_centimes bigint, doublon boolean)
    WHERE e.position BETWEEN lo AND hi AND e.name = 'lot.importe.v1';

    UPDATE lot AS l
    SET annule_le = e.date_effet, annule_position = e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'lot.annule.v1' AND l.id = e.stream_id;
END
$$;
