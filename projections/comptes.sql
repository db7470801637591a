-- Accounts, what they may act as, and who employs the persons. What is taken back leaves; what was
-- once true is in the log.
CREATE OR REPLACE FUNCTION oi.project_compte(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO compte
    SELECT e.data ->> 'identifiant', e.stream_id, e.date_effet, 'ouvert', e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'compte.ouvert.v1';

    UPDATE compte AS c
    SET statut = s.statut
    FROM (
        SELECT DISTINCT ON (e.stream_id)
            e.stream_id,
            CASE e.name
                WHEN 'compte.suspendu.v1' THEN 'suspendu'
                WHEN 'compte.ferme.v1' THEN 'ferme'
                ELSE 'ouvert'
            END AS statut
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi
            AND e.name IN ('compte.suspendu.v1', 'compte.retabli.v1', 'compte.ferme.v1')
        ORDER BY e.stream_id, e.position DESC
    ) AS s
    WHERE c.stream_id = s.stream_id;

    INSERT INTO compte_role
    SELECT
        (e.data ->> 'attribution_id')::uuid, c.identifiant, e.data ->> 'role',
        ARRAY(SELECT jsonb_array_elements_text(e.data -> 'plies')),
        (e.data ->> 'du')::date, (e.data ->> 'au')::date, e.position
    FROM oi.event AS e INNER JOIN compte AS c ON e.stream_id = c.stream_id
    WHERE e.position BETWEEN lo AND hi AND e.name = 'compte.role_attribue.v1';

    DELETE FROM compte_role AS r
    USING oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'compte.role_retire.v1'
        AND r.attribution_id = (e.data ->> 'attribution_id')::uuid;

    INSERT INTO compte_mise_a_disposition
    SELECT
        (e.data ->> 'mise_id')::uuid, c.identifiant, e.data ->> 'plie_id',
        (e.data ->> 'du')::date, (e.data ->> 'au')::date, e.position
    FROM oi.event AS e INNER JOIN compte AS c ON e.stream_id = c.stream_id
    WHERE e.position BETWEEN lo AND hi AND e.name = 'compte.mise_a_disposition_notee.v1';

    DELETE FROM compte_mise_a_disposition AS m
    USING oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'compte.mise_a_disposition_levee.v1'
        AND m.mise_id = (e.data ->> 'mise_id')::uuid;
END
$$;
