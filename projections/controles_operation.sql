-- Audits of operations. They post no movement: what they correct is posted by the convention.
-- One definition serves what stands now, kept in tables, and what stood, read again from the log.

-- The state in which an event leaves a control; null when the event leaves it where it was.
CREATE OR REPLACE FUNCTION oi.statut_de_controle(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE name
        WHEN 'controle_operation.notifie.v1' THEN 'notifie'
        WHEN 'controle_operation.commence.v1' THEN 'en_cours'
        WHEN 'controle_operation.rapport_provisoire_recu.v1' THEN 'rapport_provisoire'
        WHEN 'controle_operation.reponse_faite.v1' THEN 'contradictoire'
        WHEN 'controle_operation.rapport_definitif_recu.v1' THEN 'rapport_definitif'
        WHEN 'controle_operation.suite_decidee.v1' THEN 'suites_a_donner'
        WHEN 'controle_operation.suites_closes.v1' THEN 'suites_closes'
        WHEN 'controle_operation.clos.v1' THEN 'clos'
        WHEN 'controle_operation.annule.v1' THEN 'annule'
    END
$$;

-- The last fact of a name in a stream, as known at a position and effective on a day.
CREATE OR REPLACE FUNCTION oi.dernier_fait(
    flux uuid, nom text, connu_le bigint, effet_au date
) RETURNS SETOF oi.event
LANGUAGE sql STABLE AS $$
    SELECT e.* FROM oi.event AS e
    WHERE e.stream_id = flux AND e.name = nom
        AND e.position <= connu_le AND e.date_effet <= effet_au
    ORDER BY e.version DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION oi.controles_au(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_operation
LANGUAGE sql STABLE AS $$
    SELECT
        n.stream_id, (n.data -> 'cadre' ->> 'subvention_globale_id')::uuid,
        n.data -> 'cadre' ->> 'oi_id', n.data -> 'cadre' ->> 'reglement', n.data ->> 'organisme',
        n.data ->> 'organisme_nom', n.data ->> 'reference', s.statut,
        coalesce(k.data ->> 'resultat_apres', d.data ->> 'resultat'), c.data ->> 'modalite',
        coalesce(x.data -> 'apres', n.data -> 'perimetre') ->> 'etat_no',
        (coalesce(x.data -> 'apres', n.data -> 'perimetre') ->> 'echantillon_id')::uuid,
        (n.data ->> 'date_annoncee')::date, n.date_effet, c.date_effet, p.data ->> 'rapport_ref',
        p.date_effet,
        coalesce(g.data ->> 'date_limite_apres', p.data ->> 'date_limite_reponse')::date,
        d.data ->> 'rapport_ref', d.date_effet, (d.data ->> 'date_limite_suites')::date,
        f.date_effet, z.date_effet, z.data ->> 'cloture_ref', a.date_effet, s.version, n.position
    FROM unnest(flux) AS w (id)
    INNER JOIN oi.event AS n
        ON n.stream_id = w.id AND n.version = 1
            AND n.position <= connu_le AND n.date_effet <= effet_au
    CROSS JOIN LATERAL (
        SELECT
            (array_agg(oi.statut_de_controle(e.name) ORDER BY e.version DESC)
                FILTER (WHERE oi.statut_de_controle(e.name) IS NOT NULL))[1] AS statut,
            max(e.version) AS version
        FROM oi.event AS e
        WHERE e.stream_id = w.id AND e.position <= connu_le AND e.date_effet <= effet_au
    ) AS s
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.perimetre_rectifie.v1', connu_le, effet_au) AS x ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.commence.v1', connu_le, effet_au) AS c ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.rapport_provisoire_recu.v1', connu_le, effet_au) AS p ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.delai_reponse_prolonge.v1', connu_le, effet_au) AS g ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.rapport_definitif_recu.v1', connu_le, effet_au) AS d ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.constat_rectifie.v1', connu_le, effet_au) AS k ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.suites_closes.v1', connu_le, effet_au) AS f ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.clos.v1', connu_le, effet_au) AS z ON true
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.annule.v1', connu_le, effet_au) AS a ON true
$$;

CREATE OR REPLACE FUNCTION oi.controle_perimetres_au(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_perimetre
LANGUAGE sql STABLE AS $$
    SELECT
        n.stream_id, (o.operation ->> 'operation_id')::uuid,
        (o.operation ->> 'cout_total_controle_centimes')::bigint,
        ARRAY(SELECT i.id::uuid FROM jsonb_array_elements_text(o.operation -> 'depenses')
            WITH ORDINALITY AS i (id, rang) ORDER BY i.rang)
    FROM unnest(flux) AS w (id)
    INNER JOIN oi.event AS n
        ON n.stream_id = w.id AND n.version = 1
            AND n.position <= connu_le AND n.date_effet <= effet_au
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.perimetre_rectifie.v1', connu_le, effet_au) AS x ON true
    CROSS JOIN LATERAL jsonb_array_elements(
        coalesce(x.data -> 'apres', n.data -> 'perimetre') -> 'operations') AS o (operation)
$$;

CREATE OR REPLACE FUNCTION oi.controle_constats_au(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_constat
LANGUAGE sql STABLE AS $$
    SELECT
        w.id, (c.constat ->> 'numero')::integer, (c.constat ->> 'operation_id')::uuid,
        c.constat ->> 'nature', (c.constat ->> 'detecte_le')::date, c.constat ->> 'constatation',
        c.constat ->> 'assiette',
        ARRAY(SELECT i.id::uuid FROM jsonb_array_elements_text(c.constat -> 'depenses')
            WITH ORDINALITY AS i (id, rang) ORDER BY i.rang),
        (c.constat ->> 'extrapole')::boolean,
        coalesce(
            a.data ->> 'cout_total_apres_centimes', c.constat ->> 'cout_total_centimes')::bigint,
        coalesce(a.data ->> 'fse_apres_centimes', c.constat ->> 'fse_centimes')::bigint,
        coalesce(f.data ->> 'issue_apres', t.tranche ->> 'issue'),
        coalesce(
            f.data ->> 'cout_total_apres_centimes', t.tranche ->> 'cout_total_centimes')::bigint,
        coalesce(f.data ->> 'fse_apres_centimes', t.tranche ->> 'fse_centimes')::bigint,
        t.tranche ->> 'mesure_recommandee', t.tranche ->> 'motivation',
        o.data ->> 'reponse', o.date_effet, b.data ->> 'reponse', b.date_effet
    FROM unnest(flux) AS w (id)
    CROSS JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.rapport_provisoire_recu.v1', connu_le, effet_au) AS p
    CROSS JOIN LATERAL jsonb_array_elements(p.data -> 'constats') AS c (constat)
    LEFT JOIN LATERAL oi.dernier_fait(
        w.id, 'controle_operation.rapport_definitif_recu.v1', connu_le, effet_au) AS d ON true
    LEFT JOIN LATERAL jsonb_array_elements(d.data -> 'constats') AS t (tranche)
        ON t.tranche -> 'numero' = c.constat -> 'numero'
    -- The last letter before the final report, and the last one after it.
    LEFT JOIN LATERAL (
        SELECT e.data FROM oi.event AS e
        WHERE e.stream_id = w.id AND e.name = 'controle_operation.constat_rectifie.v1'
            AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.data -> 'constat_numero' = c.constat -> 'numero'
            AND e.data ->> 'issue_apres' IS NULL
        ORDER BY e.version DESC LIMIT 1
    ) AS a ON true
    LEFT JOIN LATERAL (
        SELECT e.data FROM oi.event AS e
        WHERE e.stream_id = w.id AND e.name = 'controle_operation.constat_rectifie.v1'
            AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.data -> 'constat_numero' = c.constat -> 'numero'
            AND e.data ->> 'issue_apres' IS NOT NULL
        ORDER BY e.version DESC LIMIT 1
    ) AS f ON true
    LEFT JOIN LATERAL (
        SELECT e.data, e.date_effet FROM oi.event AS e
        WHERE e.stream_id = w.id AND e.name = 'controle_operation.reponse_faite.v1'
            AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.data -> 'constat_numero' = c.constat -> 'numero'
            AND e.data ->> 'auteur' = 'oi'
        ORDER BY e.version DESC LIMIT 1
    ) AS o ON true
    LEFT JOIN LATERAL (
        SELECT e.data, e.date_effet FROM oi.event AS e
        WHERE e.stream_id = w.id AND e.name = 'controle_operation.reponse_faite.v1'
            AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.data -> 'constat_numero' = c.constat -> 'numero'
            AND e.data ->> 'auteur' = 'beneficiaire'
        ORDER BY e.version DESC LIMIT 1
    ) AS b ON true
$$;

CREATE OR REPLACE FUNCTION oi.controle_suites_au(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_suite
LANGUAGE sql STABLE AS $$
    SELECT
        s.stream_id, (s.data ->> 'suite_id')::uuid, (s.data ->> 'constat_numero')::integer,
        s.data ->> 'mesure', s.data ->> 'responsable', s.data ->> 'action',
        coalesce(v.echeance, s.data ->> 'echeance')::date, s.date_effet,
        CASE
            WHEN v.annulee_le IS NOT NULL THEN 'annulee'
            WHEN v.executee_le IS NOT NULL THEN 'executee'
            ELSE 'a_faire'
        END,
        v.executee_le, v.annulee_le, v.execution ->> 'compte_rendu',
        coalesce(v.execution -> 'liens', '[]'), s.position
    FROM oi.event AS s
    CROSS JOIN LATERAL (
        SELECT
            (array_agg(e.data ->> 'echeance_apres' ORDER BY e.version DESC)
                FILTER (WHERE e.name = 'controle_operation.delai_suite_prolonge.v1'))[1]
                AS echeance,
            max(e.date_effet) FILTER (WHERE e.name = 'controle_operation.suite_executee.v1')
                AS executee_le,
            max(e.date_effet) FILTER (WHERE e.name = 'controle_operation.suite_annulee.v1')
                AS annulee_le,
            (array_agg(e.data)
                FILTER (WHERE e.name = 'controle_operation.suite_executee.v1'))[1] AS execution
        FROM oi.event AS e
        WHERE e.stream_id = s.stream_id AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.data ->> 'suite_id' = s.data ->> 'suite_id'
    ) AS v
    WHERE s.stream_id = ANY (flux) AND s.name = 'controle_operation.suite_decidee.v1'
        AND s.position <= connu_le AND s.date_effet <= effet_au
$$;

CREATE OR REPLACE FUNCTION oi.project_controle_operation(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    flux uuid[];
BEGIN
    SELECT array_agg(DISTINCT e.stream_id) INTO flux
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name LIKE 'controle\_operation.%';

    DELETE FROM controle_operation AS c WHERE c.id = ANY (flux);
    DELETE FROM controle_perimetre AS p WHERE p.controle_id = ANY (flux);
    DELETE FROM controle_constat AS c WHERE c.controle_id = ANY (flux);
    DELETE FROM controle_suite AS s WHERE s.controle_id = ANY (flux);
    INSERT INTO controle_operation SELECT * FROM oi.controles_au(hi, 'infinity', flux);
    INSERT INTO controle_perimetre SELECT * FROM oi.controle_perimetres_au(hi, 'infinity', flux);
    INSERT INTO controle_constat SELECT * FROM oi.controle_constats_au(hi, 'infinity', flux);
    INSERT INTO controle_suite SELECT * FROM oi.controle_suites_au(hi, 'infinity', flux);
END
$$;
