-- What a reader limited to some PLIE may know beyond the rows that are theirs: instants, totals, and
-- the part that is theirs of what the whole OI decides or shares. Everything here runs as the owner
-- and looks at who asks (`oi.lecteur_limite`, `oi.plies_lus`: migration 0010).

-- The last event that was known at an instant: positions follow instants, so halves tell.
CREATE OR REPLACE FUNCTION oi.position_au(instant timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known bigint := 0;
    beyond bigint;
    half bigint;
BEGIN
    SELECT h.position + 1 INTO beyond FROM oi.head AS h;
    WHILE known + 1 < beyond LOOP
        half := (known + beyond) / 2;
        IF (SELECT e.enregistre_le <= instant FROM oi.event AS e WHERE e.position = half) THEN
            known := half;
        ELSE
            beyond := half;
        END IF;
    END LOOP;
    RETURN known;
END
$$;

-- When the last event known at a position was recorded.
CREATE OR REPLACE FUNCTION oi.instant_de(connu_le bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.enregistre_le FROM oi.event AS e
    WHERE e.position <= connu_le ORDER BY e.position DESC LIMIT 1
$$;

-- The version of a stream, a number, as known at a position and effective on a day.
CREATE OR REPLACE FUNCTION oi.version_de(flux uuid, connu_le bigint, effet_au date) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.version FROM oi.event AS e
    WHERE e.stream_id = flux AND e.position <= connu_le AND e.date_effet <= effet_au
    ORDER BY e.version DESC LIMIT 1
$$;

-- The acts of the whole OI that each of its PLIE knows of: a grant and its avenants, a call. A
-- limited reader gets, of what they share out, what is theirs; the tranches are the OI's.
CREATE OR REPLACE FUNCTION oi.actes_communs(flux uuid)
RETURNS TABLE (
    "position" bigint, version integer, name text, date_effet date, data jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT
        e.position, e.version, e.name, e.date_effet,
        CASE
            WHEN NOT oi.lecteur_limite() THEN e.data
            WHEN e.name = 'subvention_globale.avenant_signe.v1'
                THEN e.data || '{"ecarts": []}'
            WHEN e.name = 'appel_a_projets.clos.v1' THEN e.data
            ELSE e.data || (
                SELECT jsonb_build_object(s.part, coalesce(jsonb_agg(x.un ORDER BY x.rang)
                    FILTER (WHERE x.un ->> 'plie_id' = ANY (oi.plies_lus())), '[]'))
                FROM (SELECT CASE e.name WHEN 'appel_a_projets.publie.v1' THEN 'fiches'
                    ELSE 'plie' END AS part) AS s,
                    jsonb_array_elements(e.data -> s.part) WITH ORDINALITY AS x (un, rang)
                GROUP BY s.part)
        END
    FROM oi.event AS e
    WHERE e.stream_id = flux
        AND (e.name IN (
            'subvention_globale.conventionnee.v1', 'subvention_globale.avenant_signe.v1',
            'appel_a_projets.publie.v1', 'appel_a_projets.clos.v1')
            OR (e.name = 'subvention_globale.tranche_ouverte.v1' AND NOT oi.lecteur_limite()))
        AND (NOT oi.lecteur_limite() OR EXISTS (
            SELECT FROM projection.plie AS p
            WHERE p.sg_id = flux AND p.plie_id = ANY (oi.plies_lus()))
            OR EXISTS (
                SELECT FROM oi.event AS p, jsonb_array_elements(p.data -> 'fiches') AS f (fiche)
                WHERE p.stream_id = flux AND p.version = 1
                    AND f.fiche ->> 'plie_id' = ANY (oi.plies_lus())))
$$;

-- Of an event that moves the reader's lines and others' too: that it is, and who recorded it.
CREATE OR REPLACE FUNCTION oi.fait_partage(ou bigint)
RETURNS TABLE (
    name text, data jsonb, enregistre_le timestamptz, acteur text, role text
)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.name, '{}'::jsonb, e.enregistre_le, e.acteur, e.role
    FROM oi.event AS e
    WHERE e.position = ou AND EXISTS (
        SELECT FROM projection.mouvement AS m
        WHERE m.position = ou AND m.plie_id = ANY (oi.plies_lus()))
$$;

-- Of a contrepartie that the whole OI shares and that a dossier of the reader holds a part of: who
-- the funder is, not what it granted.
CREATE OR REPLACE FUNCTION oi.contrepartie_partagee(laquelle uuid)
RETURNS TABLE (type text, financeur text, annee integer, "position" bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.type, c.financeur, c.annee, c.position
    FROM projection.contrepartie AS c
    WHERE c.id = laquelle AND EXISTS (
        SELECT FROM projection.affectation AS a
        INNER JOIN projection.operation AS o ON a.operation_id = o.id
        WHERE a.contrepartie_id = laquelle AND o.plie_id = ANY (oi.plies_lus()))
$$;

-- What dossiers held of contreparties, as known at a position and effective on a day: of one dossier
-- or of one contrepartie, of all where neither is named.
CREATE OR REPLACE FUNCTION oi.affectations_lues(
    connu_le bigint, effet_au date, operation uuid, contrepartie uuid
)
RETURNS TABLE (contrepartie_id uuid, operation_id uuid, montant_centimes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT
        e.stream_id, (e.data ->> 'operation_id')::uuid,
        sum(CASE e.name WHEN 'contrepartie.affectee.v1' THEN 1 ELSE -1 END
            * (e.data ->> 'montant_centimes')::bigint)::bigint
    FROM oi.event AS e
    WHERE e.position <= connu_le AND e.date_effet <= effet_au
        AND e.name IN ('contrepartie.affectee.v1', 'contrepartie.affectation_annulee.v1')
        AND e.stream_id IN (
            SELECT h.contrepartie_id FROM projection.affectation AS h
            WHERE (operation IS NULL OR h.operation_id = operation)
                AND (contrepartie IS NULL OR h.contrepartie_id = contrepartie))
        AND (NOT oi.lecteur_limite()
            OR (e.data ->> 'operation_id')::uuid IN (SELECT oi.dossiers_lus()))
    GROUP BY e.stream_id, e.data ->> 'operation_id'
$$;

-- The events that name a document, by their number; those of the audits apart.
CREATE OR REPLACE FUNCTION oi.nomme_la_piece(sha256 text, audit boolean) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.position FROM oi.event AS e
    WHERE e.pieces <> '[]'
        AND e.pieces @> jsonb_build_array(jsonb_build_object('sha256', sha256))
        AND starts_with(e.name, 'audit.') = audit
$$;

-- The totals of a whole grant, measure by measure: what a director knows of the others, all together.
CREATE OR REPLACE FUNCTION oi.totaux_de(subvention uuid, connu_le bigint, effet_au date)
RETURNS TABLE (mesure text, centimes bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.mesure, sum(m.centimes)::bigint
    FROM projection.mouvement AS m
    WHERE m.sg_id = subvention AND m.position <= connu_le AND m.date_effet <= effet_au
        AND (NOT oi.lecteur_limite() OR EXISTS (
            SELECT FROM projection.plie AS p
            WHERE p.sg_id = subvention AND p.plie_id = ANY (oi.plies_lus())))
    GROUP BY m.mesure
$$;

-- The controls as they stood (projections/controles_operation.sql), cut down to what they say of the
-- reader's dossiers.
CREATE OR REPLACE FUNCTION oi.controle_perimetres_lus(
    connu_le bigint, effet_au date, flux uuid []
) RETURNS SETOF projection.controle_perimetre
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.* FROM oi.controle_perimetres_au(connu_le, effet_au, flux) AS p
    WHERE NOT oi.lecteur_limite() OR p.operation_id IN (SELECT oi.dossiers_lus())
$$;

CREATE OR REPLACE FUNCTION oi.controles_lus(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_operation
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.* FROM oi.controles_au(connu_le, effet_au, flux) AS c
    WHERE c.id IN (
        SELECT p.controle_id FROM oi.controle_perimetres_lus(connu_le, effet_au, flux) AS p)
$$;

CREATE OR REPLACE FUNCTION oi.controle_constats_lus(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_constat
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.* FROM oi.controle_constats_au(connu_le, effet_au, flux) AS k
    WHERE NOT oi.lecteur_limite() OR k.operation_id IN (SELECT oi.dossiers_lus())
$$;

CREATE OR REPLACE FUNCTION oi.controle_suites_lues(connu_le bigint, effet_au date, flux uuid [])
RETURNS SETOF projection.controle_suite
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.* FROM oi.controle_suites_au(connu_le, effet_au, flux) AS s
    WHERE NOT oi.lecteur_limite() OR EXISTS (
        SELECT FROM oi.controle_constats_lus(connu_le, effet_au, flux) AS k
        WHERE k.controle_id = s.controle_id AND k.numero = s.constat_numero)
$$;

REVOKE ALL ON FUNCTION
oi.position_au, oi.instant_de, oi.version_de, oi.actes_communs, oi.fait_partage,
oi.contrepartie_partagee, oi.affectations_lues, oi.nomme_la_piece, oi.totaux_de, oi.controles_lus,
oi.controle_perimetres_lus, oi.controle_constats_lus, oi.controle_suites_lues
FROM public;
GRANT EXECUTE ON FUNCTION
oi.position_au, oi.instant_de, oi.version_de, oi.actes_communs, oi.fait_partage,
oi.contrepartie_partagee, oi.affectations_lues, oi.nomme_la_piece, oi.totaux_de, oi.controles_lus,
oi.controle_perimetres_lus, oi.controle_constats_lus, oi.controle_suites_lues
TO oi_application, oi_directeur;
