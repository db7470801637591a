-- The seal: from here on, an event cannot be changed, moved, added or dropped without the rest of
-- the log saying so (docs/adr/0016). Events written before are sealed here, and keep scheme 0.
--
-- Writers wait for the end; readers read on until the last statements, which are short.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = 0;  -- Sealing takes half a minute for each million of events.

CREATE FUNCTION oi.seal_next(previous bytea, record bytea, start bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(coalesce(previous, start) || record);

-- seal n = SHA-256(seal n-1 || record n), from a given seal on, in the order of a window.
CREATE AGGREGATE oi.seal_chain(record bytea, start bytea) (SFUNC = oi.seal_next, STYPE = bytea);

DO $$
DECLARE
    last_seal bytea := decode(repeat('00', 32), 'hex');
BEGIN
    PERFORM FROM oi.head FOR UPDATE;  -- From here nobody writes.
    ALTER TABLE oi.event DISABLE TRIGGER event_append_only;
    CREATE TEMPORARY TABLE sealed ON COMMIT DROP AS
    SELECT
        e.position,
        oi.seal_chain(
            record_send(ROW(
                e.seal_scheme, e.position, e.stream_id, e.version, e.event_id,
                convert_to(e.name, 'UTF8'), convert_to(e.data::text, 'UTF8'), e.date_effet,
                e.enregistre_le, convert_to(e.acteur, 'UTF8'), convert_to(e.role, 'UTF8'),
                convert_to(e.oi_id, 'UTF8'), convert_to(e.reglement, 'UTF8'),
                convert_to(e.motif, 'UTF8'), convert_to(e.pieces::text, 'UTF8'), e.command_id,
                NULL::bytea, e.correlation_id, e.cause_id)),
            last_seal) OVER (ORDER BY e.position) AS seal
    FROM oi.event AS e;
    UPDATE oi.event AS e SET seal = s.seal FROM sealed AS s WHERE e.position = s.position;
    UPDATE oi.head AS h SET seal = coalesce(
        (SELECT s.seal FROM sealed AS s WHERE s.position = h.position), last_seal);
    ALTER TABLE oi.event ENABLE TRIGGER event_append_only;
END
$$;

-- What the command asked, so that its row in oi.command follows from the log alone.
ALTER TABLE oi.event ADD COLUMN fingerprint bytea;
ALTER TABLE oi.event ADD CONSTRAINT event_is_sealed
    CHECK (seal IS NOT NULL AND octet_length(seal) = 32) NOT VALID;
-- One row.
-- squawk-ignore adding-not-nullable-field
ALTER TABLE oi.head ALTER COLUMN seal SET NOT NULL;

-- As in migration 0001, with the seal.
CREATE OR REPLACE FUNCTION oi.append(
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
    last_seal bytea;
    n integer := cardinality(p_stream_ids);
BEGIN
    -- From here to the commit we are alone: everything below sees a still log.
    SELECT h.position, greatest(clock_timestamp(), h.enregistre_le), h.seal
    INTO base, instant, last_seal FROM oi.head AS h FOR UPDATE;

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

    WITH fresh AS MATERIALIZED (
        SELECT
            1::smallint AS seal_scheme, base + w.rank AS position, w.stream_id,
            (CASE WHEN w.version > 0 THEN w.version
                ELSE coalesce(
                    (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = w.stream_id), 0)
                    + row_number() OVER (PARTITION BY w.stream_id ORDER BY w.rank) END)::integer
                AS version,
            gen_random_uuid() AS event_id, w.name, w.data::jsonb AS data, w.date_effet, w.motif,
            coalesce(w.pieces, '[]')::jsonb AS pieces
        FROM unnest(p_stream_ids, p_versions, p_names, p_data, p_dates, p_motifs, p_pieces)
            WITH ORDINALITY AS w (stream_id, version, name, data, date_effet, motif, pieces, rank)
    )
    INSERT INTO oi.event (
        position, stream_id, version, event_id, name, data, date_effet, enregistre_le,
        acteur, role, oi_id, reglement, motif, pieces, command_id, fingerprint, correlation_id,
        cause_id, seal_scheme, seal
    )
    SELECT
        f.position, f.stream_id, f.version, f.event_id, f.name, f.data, f.date_effet, instant,
        p_acteur, p_role, p_oi_id, p_reglement, f.motif, f.pieces, p_command_id, p_fingerprint,
        p_correlation_id, p_cause_id, f.seal_scheme,
        oi.seal_chain(
            record_send(ROW(
                f.seal_scheme, f.position, f.stream_id, f.version, f.event_id,
                convert_to(f.name, 'UTF8'), convert_to(f.data::text, 'UTF8'), f.date_effet, instant,
                convert_to(p_acteur, 'UTF8'), convert_to(p_role, 'UTF8'),
                convert_to(p_oi_id, 'UTF8'), convert_to(p_reglement, 'UTF8'),
                convert_to(f.motif, 'UTF8'), convert_to(f.pieces::text, 'UTF8'), p_command_id,
                p_fingerprint, p_correlation_id, p_cause_id)),
            last_seal) OVER (ORDER BY f.position)
    FROM fresh AS f;

    UPDATE oi.head SET
        position = base + n, enregistre_le = instant,
        seal = coalesce((SELECT e.seal FROM oi.event AS e WHERE e.position = base + n), last_seal);
    PERFORM oi.project(base + 1, base + n);
    PERFORM pg_notify('oi_event', (base + n)::text);

    first_position := base + 1;
    last_position := base + n;
END
$$;

-- migrate:down
-- Forward only: there is no way back but a new migration.
