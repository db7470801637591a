-- Row-level security: for readers limited to some PLIE, the database says again what the queries say
-- (docs/adr/0021). A table that has no policy for oi_directeur shows it nothing.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = 0;  -- The index takes some seconds for each million of events.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'oi_directeur') THEN
        CREATE ROLE oi_directeur NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- Roles belong to the whole cluster: another database made it.
END
$$;

-- The service may become this role, and has none of what it may see until it does.
DO $$
BEGIN
    IF NOT pg_has_role('oi_application', 'oi_directeur', 'SET') THEN
        GRANT oi_directeur TO oi_application WITH INHERIT FALSE, SET TRUE;
    END IF;
EXCEPTION WHEN unique_violation OR internal_error THEN
    NULL;  -- Another database granted it at the same time.
END
$$;

-- A reader of some PLIE finds their conventions without reading those of all the others. Made in the
-- transaction: writers wait as for a rebuild.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX event_convention ON oi.event ((data ->> 'operation_id'))
WHERE name = 'convention.signee.v1';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX operation_du_plie ON projection.operation (plie_id);
-- Which events name a document.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX event_pieces ON oi.event USING gin (pieces jsonb_path_ops) WHERE pieces <> '[]';

-- The PLIE of whoever reads on this connection: none, unless it was told.
CREATE FUNCTION oi.plies_lus() RETURNS text [] LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('oi.plies', true), ''), '{}')::text[]
$$;

-- Whether the connection is one of a limited reader: true also inside what runs as the owner.
CREATE FUNCTION oi.lecteur_limite() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('role') = 'oi_directeur'
$$;

-- The dossiers of these PLIE.
CREATE FUNCTION oi.dossiers_lus() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.id FROM projection.operation AS o WHERE o.plie_id = ANY (oi.plies_lus())
$$;

-- The conventions of these dossiers, and their dépenses. Each dossier is looked up by its index, as
-- OFFSET has it: no estimate can lead to read those of all the others.
CREATE FUNCTION oi.conventions_lues() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id
    FROM oi.dossiers_lus() AS o (id)
    CROSS JOIN LATERAL (
        SELECT e.stream_id AS id FROM oi.event AS e
        WHERE e.name = 'convention.signee.v1' AND e.data ->> 'operation_id' = o.id::text OFFSET 0
    ) AS c
$$;

CREATE FUNCTION oi.depenses_lues() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.id
    FROM oi.dossiers_lus() AS o (id)
    CROSS JOIN LATERAL (
        SELECT p.id FROM projection.depense AS p WHERE p.operation_id = o.id OFFSET 0
    ) AS d
$$;

-- The controls of these dossiers and of no other.
CREATE FUNCTION oi.controles_entiers_lus() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.controle_id
    FROM projection.controle_perimetre AS p
    GROUP BY p.controle_id
    HAVING bool_and(p.operation_id IN (SELECT oi.dossiers_lus()))
$$;

-- The calls in which they have a fiche.
CREATE FUNCTION oi.appels_lus() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.stream_id
    FROM oi.event AS e
    WHERE e.name = 'appel_a_projets.publie.v1' AND EXISTS (
        SELECT FROM jsonb_array_elements(e.data -> 'fiches') AS f (fiche)
        WHERE f.fiche ->> 'plie_id' = ANY (oi.plies_lus()))
$$;

REVOKE ALL ON FUNCTION
oi.dossiers_lus, oi.conventions_lues, oi.depenses_lues, oi.controles_entiers_lus, oi.appels_lus
FROM public;
GRANT EXECUTE ON FUNCTION
oi.dossiers_lus, oi.conventions_lues, oi.depenses_lues, oi.controles_entiers_lus, oi.appels_lus
TO oi_directeur;

-- Who reads the whole OI reads every row of what was granted to it.
ALTER TABLE oi.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY oi_entier ON oi.event FOR SELECT TO oi_application USING (true);
DO $$
DECLARE
    projetee text;
BEGIN
    FOR projetee IN
        SELECT t.tablename FROM pg_catalog.pg_tables AS t WHERE t.schemaname = 'projection'
    LOOP
        EXECUTE format('ALTER TABLE projection.%I ENABLE ROW LEVEL SECURITY', projetee);
        EXECUTE format(
            'CREATE POLICY oi_entier ON projection.%I FOR SELECT TO oi_application USING (true)',
            projetee);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA oi, projection TO oi_directeur;
GRANT SELECT (only_row, position, enregistre_le) ON oi.head TO oi_directeur;
-- Not the number of fiches, which counts those of others.
GRANT SELECT (
    id, sg_id, numero, intitule, date_ouverture, date_cloture, clos
) ON projection.appel_a_projets TO oi_directeur;
GRANT SELECT ON
oi.event, projection.subvention_globale, projection.plie, projection.operation, projection.depense,
projection.contrepartie, projection.affectation, projection.enveloppe, projection.mouvement,
projection.reprise, projection.controle_operation, projection.controle_perimetre,
projection.controle_constat, projection.controle_suite
TO oi_directeur;

-- The streams of the reader's PLIE, by what their events are named after; of the grant, what moves
-- their enveloppes (a transfer is seen from both sides) and what is fixed or foreseen for them. The
-- anchors of the log are nobody's: they hold a size and a root.
CREATE POLICY plies_du_lecteur ON oi.event FOR SELECT TO oi_directeur USING (
    CASE split_part(name, '.', 1)
        WHEN 'operation' THEN stream_id IN (SELECT oi.dossiers_lus())
        WHEN 'convention' THEN stream_id IN (SELECT oi.conventions_lues())
        WHEN 'depense' THEN stream_id IN (SELECT oi.depenses_lues())
        WHEN 'contrepartie'
            THEN EXISTS (SELECT FROM projection.contrepartie AS c WHERE c.id = stream_id)
        WHEN 'controle_operation' THEN stream_id IN (SELECT oi.controles_entiers_lus())
        WHEN 'subvention_globale'
            THEN
                data ->> 'plie_id' = ANY ((SELECT oi.plies_lus())::text [])
                OR data -> 'cellule' ->> 'plie_id' = ANY ((SELECT oi.plies_lus())::text [])
                OR data -> 'de' ->> 'plie_id' = ANY ((SELECT oi.plies_lus())::text [])
                OR data -> 'vers' ->> 'plie_id' = ANY ((SELECT oi.plies_lus())::text [])
                OR (
                    -- An avenant that moves their enveloppe, and that of no other PLIE.
                    jsonb_path_query_array(data, '$.ecarts[*].cellule.plie_id')
                    ?| (SELECT oi.plies_lus())
                    AND jsonb_path_query_array(data, '$.ecarts[*].cellule.plie_id')
                    <@ (to_jsonb((SELECT oi.plies_lus())) || '["non_reparti", "reserve"]')
                )
        ELSE name = 'registre.journal_ancre.v1'
    END
);

CREATE POLICY plies_du_lecteur ON projection.plie FOR SELECT TO oi_directeur
USING (plie_id = ANY ((SELECT oi.plies_lus())::text []));
CREATE POLICY plies_du_lecteur ON projection.subvention_globale FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.plie AS p WHERE p.sg_id = id));
CREATE POLICY plies_du_lecteur ON projection.appel_a_projets FOR SELECT TO oi_directeur
USING (id IN (SELECT oi.appels_lus()));
CREATE POLICY plies_du_lecteur ON projection.operation FOR SELECT TO oi_directeur
USING (plie_id = ANY ((SELECT oi.plies_lus())::text []));
CREATE POLICY plies_du_lecteur ON projection.depense FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.operation AS o WHERE o.id = operation_id));
CREATE POLICY plies_du_lecteur ON projection.contrepartie FOR SELECT TO oi_directeur
USING (plie_id = ANY ((SELECT oi.plies_lus())::text []));
CREATE POLICY plies_du_lecteur ON projection.affectation FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.operation AS o WHERE o.id = operation_id));
CREATE POLICY plies_du_lecteur ON projection.enveloppe FOR SELECT TO oi_directeur
USING (plie_id = ANY ((SELECT oi.plies_lus())::text []));
CREATE POLICY plies_du_lecteur ON projection.mouvement FOR SELECT TO oi_directeur
USING (plie_id = ANY ((SELECT oi.plies_lus())::text []));
-- What was taken over is no PLIE's.
CREATE POLICY plies_du_lecteur ON projection.reprise FOR SELECT TO oi_directeur USING (false);
-- Of a control, what it says of the reader's dossiers.
CREATE POLICY plies_du_lecteur ON projection.controle_perimetre FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.operation AS o WHERE o.id = operation_id));
CREATE POLICY plies_du_lecteur ON projection.controle_operation FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.controle_perimetre AS p WHERE p.controle_id = id));
CREATE POLICY plies_du_lecteur ON projection.controle_constat FOR SELECT TO oi_directeur
USING (EXISTS (SELECT FROM projection.operation AS o WHERE o.id = operation_id));
CREATE POLICY plies_du_lecteur ON projection.controle_suite FOR SELECT TO oi_directeur
USING (EXISTS (
    SELECT FROM projection.controle_constat AS k
    WHERE k.controle_id = controle_suite.controle_id AND k.numero = constat_numero
));

-- migrate:down
-- Forward only: there is no way back but a new migration.
