-- Every projection but that of the dépenses, in the order in which they read each other. Kinds that
-- the range does not hold cost nothing.
CREATE OR REPLACE FUNCTION oi.project_communes(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kinds text[];
BEGIN
    IF hi - lo > 10000 THEN
        -- Finding out what a whole log holds costs more than finding nothing.
        kinds := ARRAY[
            'subvention_globale', 'appel_a_projets', 'operation', 'convention', 'contrepartie',
            'reprise', 'controle_operation', 'compte', 'lot'];
    ELSE
        SELECT array_agg(DISTINCT split_part(e.name, '.', 1)) INTO kinds
        FROM oi.event AS e WHERE e.position BETWEEN lo AND hi;
    END IF;

    IF kinds IS NULL THEN
        RETURN;
    END IF;
    IF 'subvention_globale' = ANY (kinds) THEN
        PERFORM oi.project_subvention_globale(lo, hi);
        PERFORM oi.project_enveloppe(lo, hi);
    END IF;
    IF 'appel_a_projets' = ANY (kinds) THEN
        PERFORM oi.project_appel_a_projets(lo, hi);
    END IF;
    IF 'operation' = ANY (kinds) THEN
        PERFORM oi.project_operation(lo, hi);
    END IF;
    IF 'contrepartie' = ANY (kinds) THEN
        PERFORM oi.project_contrepartie(lo, hi);
    END IF;
    IF kinds && ARRAY['subvention_globale', 'operation', 'convention', 'contrepartie'] THEN
        PERFORM oi.project_mouvement(lo, hi);
    END IF;
    IF 'reprise' = ANY (kinds) THEN
        PERFORM oi.project_reprise(lo, hi);
    END IF;
    IF 'controle_operation' = ANY (kinds) THEN
        PERFORM oi.project_controle_operation(lo, hi);
    END IF;
    IF 'compte' = ANY (kinds) THEN
        PERFORM oi.project_compte(lo, hi);
    END IF;
    IF 'lot' = ANY (kinds) THEN
        PERFORM oi.project_lot(lo, hi);
    END IF;
END
$$;

-- The one entry: projects the events of positions lo..hi, called by oi.append in the command's
-- transaction. A rebuild calls the two halves apart, which share nothing.
CREATE OR REPLACE FUNCTION oi.project(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM oi.project_communes(lo, hi);
    PERFORM oi.project_depense(lo, hi);
END
$$;
