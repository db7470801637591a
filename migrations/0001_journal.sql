-- Policy of this folder: numbered files, applied once, forward only, never edited afterwards
-- (tests/migrations.sha256 holds their digests). One transaction each. They must run while the
-- previous version serves: add, fill, switch, and drop two releases later. `event` only ever gains
-- columns, and every column it gains is covered by the seal. Projection functions are not here but
-- in projections/*.sql: they are replaced whole and their tables rebuilt.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

DO $$
BEGIN
    CREATE ROLE oi_application NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- Roles belong to the whole cluster: another database made it.
END
$$;

CREATE SCHEMA oi;
CREATE SCHEMA projection;

-- The one row that everybody who writes must hold: it makes positions gapless and ordered.
CREATE TABLE oi.head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0,
    enregistre_le timestamptz NOT NULL DEFAULT '-infinity',
    seal bytea
) WITH (fillfactor = 10);

INSERT INTO oi.head DEFAULT VALUES;

CREATE TABLE oi.event (
    position bigint PRIMARY KEY,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    event_id uuid NOT NULL,
    name text NOT NULL,
    data jsonb NOT NULL,
    date_effet date NOT NULL,
    enregistre_le timestamptz NOT NULL,
    acteur text NOT NULL,
    role text NOT NULL,
    oi_id text NOT NULL,
    reglement text NOT NULL,
    motif text,
    pieces jsonb NOT NULL DEFAULT '[]',
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    cause_id uuid,
    -- The place of the seal: scheme 0 means "not sealed yet".
    seal_scheme smallint NOT NULL DEFAULT 0,
    seal bytea,
    CONSTRAINT event_stream_version UNIQUE (stream_id, version),
    CONSTRAINT event_name_form CHECK (name ~ '^[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$'),
    CONSTRAINT event_data_is_object CHECK (jsonb_typeof(data) = 'object'),
    CONSTRAINT event_pieces_is_array CHECK (jsonb_typeof(pieces) = 'array')
);

CREATE INDEX event_name ON oi.event (name, position);
-- Instants never go back, so ranges of blocks are enough to find one.
CREATE INDEX event_enregistre_le ON oi.event USING brin (enregistre_le);

-- A command that was accepted: its key, what it asked, and the events it made.
CREATE TABLE oi.command (
    command_id uuid PRIMARY KEY,
    fingerprint bytea NOT NULL,
    acteur text NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    enregistre_le timestamptz NOT NULL
);

-- Which text of the projection functions built the projections, and up to where.
CREATE TABLE oi.projection_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    source_sha256 text NOT NULL DEFAULT '',
    rebuilt_at timestamptz
);

INSERT INTO oi.projection_state DEFAULT VALUES;

CREATE FUNCTION oi.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Le journal ne se modifie pas : % refusé sur %.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'OI100', HINT = 'Une erreur se corrige par un nouvel événement.';
END
$$;

CREATE TRIGGER event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON oi.event
    FOR EACH STATEMENT EXECUTE FUNCTION oi.refuse_change();

CREATE TRIGGER command_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON oi.command
    FOR EACH STATEMENT EXECUTE FUNCTION oi.refuse_change();

-- Replaced by projections/*.sql: projects the events of positions lo..hi.
CREATE FUNCTION oi.project(lo bigint, hi bigint) RETURNS void LANGUAGE sql AS $$
    SELECT
$$;

-- The only way into the log.
--
-- p_versions: version that each event takes in its stream, or 0 for "the next one, whatever it is"
--   (facts that commute, such as two reservations: their ceiling is held by a guard row instead).
-- p_read_ids, p_read_versions: streams that the decision read without writing, and the version it
--   saw; if one moved, the decision is void.
-- p_total: events of the whole command; p_continued: a chunk after the first.
--
-- SQLSTATE OI001: a version moved, decide again. OI002: the key served for something else.
CREATE FUNCTION oi.append(
    p_command_id uuid,
    p_fingerprint bytea,
    p_acteur text,
    p_role text,
    p_oi_id text,
    p_reglement text,
    p_correlation_id uuid,
    p_cause_id uuid,
    p_total integer,
    p_continued boolean,
    p_stream_ids uuid [],
    p_versions integer [],
    p_names text [],
    p_data text [],
    p_dates date [],
    p_motifs text [],
    p_pieces text [],
    p_read_ids uuid [],
    p_read_versions integer [],
    OUT first_position bigint,
    OUT last_position bigint,
    OUT replayed boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = projection, oi, pg_temp AS $$
DECLARE
    known oi.command;
    base bigint;
    instant timestamptz;
    n integer := cardinality(p_stream_ids);
BEGIN
    -- From here to the commit we are alone: everything below sees a still log.
    SELECT h.position, greatest(clock_timestamp(), h.enregistre_le)
    INTO base, instant FROM oi.head AS h FOR UPDATE;

    replayed := false;
    IF NOT p_continued THEN
        SELECT c.* INTO known FROM oi.command AS c WHERE c.command_id = p_command_id;
        IF FOUND THEN
            IF known.fingerprint <> p_fingerprint OR known.acteur <> p_acteur THEN
                RAISE EXCEPTION 'key reused' USING ERRCODE = 'OI002';
            END IF;
            first_position := known.first_position;
            last_position := known.last_position;
            replayed := true;
            RETURN;
        END IF;
        INSERT INTO oi.command
        VALUES (p_command_id, p_fingerprint, p_acteur, base + 1, base + p_total, instant);
    END IF;

    IF EXISTS (
        SELECT FROM unnest(p_read_ids, p_read_versions) AS r (stream_id, version)
        WHERE r.version <> coalesce(
            (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = r.stream_id), 0)
    ) OR EXISTS (
        SELECT FROM unnest(p_stream_ids, p_versions) AS w (stream_id, version)
        WHERE w.version > 0
        GROUP BY w.stream_id
        HAVING min(w.version) <> 1 + coalesce(
            (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = w.stream_id), 0)
    ) THEN
        RAISE EXCEPTION 'a version moved' USING ERRCODE = 'OI001';
    END IF;

    INSERT INTO oi.event (
        position, stream_id, version, event_id, name, data, date_effet, enregistre_le,
        acteur, role, oi_id, reglement, motif, pieces, command_id, correlation_id, cause_id
    )
    SELECT
        base + w.rank, w.stream_id,
        CASE WHEN w.version > 0 THEN w.version
            ELSE coalesce(
                (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = w.stream_id), 0)
                + row_number() OVER (PARTITION BY w.stream_id ORDER BY w.rank) END,
        gen_random_uuid(), w.name, w.data::jsonb, w.date_effet, instant,
        p_acteur, p_role, p_oi_id, p_reglement, w.motif, coalesce(w.pieces, '[]')::jsonb,
        p_command_id, p_correlation_id, p_cause_id
    FROM unnest(p_stream_ids, p_versions, p_names, p_data, p_dates, p_motifs, p_pieces)
        WITH ORDINALITY AS w (stream_id, version, name, data, date_effet, motif, pieces, rank);

    UPDATE oi.head SET position = base + n, enregistre_le = instant;
    PERFORM oi.project(base + 1, base + n);
    PERFORM pg_notify('oi_event', (base + n)::text);

    first_position := base + 1;
    last_position := base + n;
END
$$;

REVOKE ALL ON FUNCTION oi.append FROM public;
GRANT USAGE ON SCHEMA oi, projection TO oi_application;
GRANT SELECT ON ALL TABLES IN SCHEMA oi TO oi_application;
GRANT EXECUTE ON FUNCTION oi.append TO oi_application;
ALTER DEFAULT PRIVILEGES IN SCHEMA projection GRANT SELECT ON TABLES TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
