-- Lots: workbooks whose rows became facts in one act, and what was dropped and not yet confirmed.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE projection.lot (
    id uuid PRIMARY KEY,
    -- In the order of the log, for people.
    numero integer NOT NULL,
    sg_id uuid NOT NULL,
    nature text NOT NULL,
    modele_version integer NOT NULL,
    fichier_sha256 text NOT NULL,
    fichier_format text NOT NULL,
    fichier_octets bigint NOT NULL,
    lignes_lues integer NOT NULL,
    lignes integer NOT NULL,
    ecartees integer NOT NULL,
    total_centimes bigint NOT NULL,
    total_controle_centimes bigint,
    operations uuid [] NOT NULL,
    -- Empty: about the whole OI.
    plies text [] NOT NULL,
    importe_le date NOT NULL,
    annule_le date,
    annule_position bigint,
    position bigint NOT NULL
);

CREATE UNIQUE INDEX lot_position ON projection.lot (position);
CREATE INDEX lot_fichier ON projection.lot (fichier_sha256);

CREATE TABLE projection.lot_ligne (
    lot_id uuid NOT NULL,
    feuille text NOT NULL,
    ligne integer NOT NULL,
    flux uuid NOT NULL,
    montant_centimes bigint NOT NULL,
    doublon boolean NOT NULL,
    PRIMARY KEY (lot_id, feuille, ligne)
);

CREATE INDEX lot_ligne_flux ON projection.lot_ligne (flux);

-- Who reads some PLIE sees the lots that are about these and about nothing else.
CREATE FUNCTION oi.lots_lus() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.id FROM projection.lot AS l
    WHERE l.plies <> '{}' AND l.plies <@ oi.plies_lus()
$$;
REVOKE ALL ON FUNCTION oi.lots_lus FROM public;
GRANT EXECUTE ON FUNCTION oi.lots_lus TO oi_directeur;

ALTER TABLE projection.lot ENABLE ROW LEVEL SECURITY;
ALTER TABLE projection.lot_ligne ENABLE ROW LEVEL SECURITY;
CREATE POLICY oi_entier ON projection.lot FOR SELECT TO oi_application USING (true);
CREATE POLICY oi_entier ON projection.lot_ligne FOR SELECT TO oi_application USING (true);
CREATE POLICY plies_du_lecteur ON projection.lot FOR SELECT TO oi_directeur
USING (id IN (SELECT oi.lots_lus()));
CREATE POLICY plies_du_lecteur ON projection.lot_ligne FOR SELECT TO oi_directeur
USING (lot_id IN (SELECT oi.lots_lus()));
GRANT SELECT ON projection.lot, projection.lot_ligne TO oi_directeur;

-- As in migration 0010, with the lots.
ALTER POLICY plies_du_lecteur ON oi.event USING (
    CASE split_part(name, '.', 1)
        WHEN 'operation' THEN stream_id IN (SELECT oi.dossiers_lus())
        WHEN 'convention' THEN stream_id IN (SELECT oi.conventions_lues())
        WHEN 'depense' THEN stream_id IN (SELECT oi.depenses_lues())
        WHEN 'contrepartie'
            THEN EXISTS (SELECT FROM projection.contrepartie AS c WHERE c.id = stream_id)
        WHEN 'controle_operation' THEN stream_id IN (SELECT oi.controles_entiers_lus())
        WHEN 'lot' THEN stream_id IN (SELECT oi.lots_lus())
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

-- What was dropped, of which nothing is in the log yet: whose, what they called it, what they ticked.
-- Outside the log on purpose: a name of file is a person's, and an import that is given up is no fact.
CREATE SCHEMA imports;

CREATE TABLE imports.brouillon (
    id uuid PRIMARY KEY,
    identifiant text NOT NULL,
    nature text NOT NULL,
    operation_id uuid,
    fichier_sha256 text NOT NULL,
    fichier_nom text NOT NULL,
    fichier_octets bigint NOT NULL,
    depose_le timestamptz NOT NULL,
    -- The work that imports it, when it is long.
    travail_id uuid,
    lot_id uuid
);

CREATE INDEX brouillon_identifiant ON imports.brouillon (identifiant, depose_le);
CREATE INDEX brouillon_lot ON imports.brouillon (lot_id);

GRANT USAGE ON SCHEMA imports TO oi_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON imports.brouillon TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
