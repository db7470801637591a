-- Who is who: grants, PLIE, calls, dossiers and the state in which each stands.
CREATE OR REPLACE FUNCTION oi.project_subvention_globale(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subvention_globale
    SELECT
        e.stream_id, e.oi_id, e.data ->> 'oi_nom', e.reglement, e.data ->> 'numero',
        e.data ->> 'programme', (e.data ->> 'fse_total_centimes')::bigint,
        (e.data -> 'programmation' ->> 'debut')::date, (e.data -> 'programmation' ->> 'fin')::date,
        (e.data ->> 'fictive')::boolean, e.position
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'subvention_globale.conventionnee.v1';

    INSERT INTO plie
    SELECT e.stream_id, p.plie ->> 'plie_id', p.plie ->> 'nom'
    FROM oi.event AS e, jsonb_array_elements(e.data -> 'plie') AS p (plie)
    WHERE e.position BETWEEN lo AND hi AND e.name = 'subvention_globale.conventionnee.v1';

    UPDATE subvention_globale AS s
    SET fse_total_centimes = a.fse_total, programmation_debut = a.debut, programmation_fin = a.fin
    FROM (
        SELECT DISTINCT ON (e.stream_id)
            e.stream_id, (e.data ->> 'fse_total_apres_centimes')::bigint AS fse_total,
            (e.data -> 'programmation_apres' ->> 'debut')::date AS debut,
            (e.data -> 'programmation_apres' ->> 'fin')::date AS fin
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name = 'subvention_globale.avenant_signe.v1'
        ORDER BY e.stream_id, e.position DESC
    ) AS a
    WHERE s.id = a.stream_id;
END
$$;

CREATE OR REPLACE FUNCTION oi.project_appel_a_projets(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO appel_a_projets
    SELECT
        e.stream_id, (e.data -> 'cadre' ->> 'subvention_globale_id')::uuid, e.data ->> 'numero',
        e.data ->> 'intitule', (e.data ->> 'date_ouverture')::date,
        (e.data ->> 'date_cloture')::date, jsonb_array_length(e.data -> 'fiches'), false
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'appel_a_projets.publie.v1';

    UPDATE appel_a_projets AS a
    SET clos = true
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'appel_a_projets.clos.v1'
        AND a.id = e.stream_id;
END
$$;

-- The state in which an event leaves an operation; null when the event leaves it where it was.
CREATE OR REPLACE FUNCTION oi.statut_apres(name text, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE name
        WHEN 'operation.dossier_depose.v1' THEN 'depose'
        WHEN 'operation.complement_demande.v1' THEN 'complement_demande'
        WHEN 'operation.complement_recu.v1' THEN 'depose'
        WHEN 'operation.recevabilite_prononcee.v1' THEN 'recevable'
        WHEN 'operation.irrecevabilite_prononcee.v1' THEN 'irrecevable'
        WHEN 'operation.instruction_ouverte.v1' THEN 'en_instruction'
        WHEN 'operation.instruction_rouverte.v1' THEN 'en_instruction'
        WHEN 'operation.rapport_instruction_valide.v1'
            THEN 'instruit_' || (data ->> 'avis')
        WHEN 'operation.programmee.v1' THEN 'programme'
        WHEN 'operation.ajournee.v1' THEN 'ajourne'
        WHEN 'operation.refusee.v1' THEN 'refuse'
        WHEN 'operation.dossier_retire.v1' THEN 'retire'
        WHEN 'operation.deprogrammee.v1' THEN 'deprogramme'
        WHEN 'operation.conventionnee.v1' THEN 'conventionne'
        WHEN 'operation.demarree.v1' THEN 'en_execution'
        WHEN 'operation.realisation_terminee.v1' THEN 'realisation_terminee'
        WHEN 'operation.bilan_final_depose.v1' THEN 'bilan_final_depose'
        WHEN 'operation.bilan_final_renvoye.v1' THEN 'realisation_terminee'
        WHEN 'operation.abandonnee.v1' THEN 'abandonne'
        WHEN 'operation.resiliee.v1' THEN 'resilie'
        WHEN 'operation.soldee.v1' THEN 'solde'
        WHEN 'operation.cloturee.v1' THEN 'cloture'
        WHEN 'operation.dossier_archive.v1' THEN 'archive'
    END
$$;

CREATE OR REPLACE FUNCTION oi.project_operation(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operation
    SELECT
        e.stream_id, (e.data -> 'cadre' ->> 'subvention_globale_id')::uuid,
        (e.data ->> 'appel_a_projets_id')::uuid, e.data ->> 'fiche_code', e.data ->> 'numero_mdfse',
        e.data -> 'beneficiaire' ->> 'siret', e.data -> 'beneficiaire' ->> 'nom',
        e.data -> 'beneficiaire' ->> 'type', e.data -> 'cellule' ->> 'plie_id',
        (l.ligne ->> 'annee')::integer, l.ligne ->> 'axe', l.ligne ->> 'objectif_specifique',
        l.ligne ->> 'dispositif', e.data ->> 'intitule', e.data ->> 'objet',
        (e.data -> 'periode' ->> 'debut')::date, (e.data -> 'periode' ->> 'fin')::date,
        e.date_effet, 'depose', NULL
    FROM oi.event AS e, LATERAL (SELECT e.data -> 'cellule' -> 'ligne' AS ligne) AS l
    WHERE e.position BETWEEN lo AND hi AND e.name = 'operation.dossier_depose.v1';

    UPDATE operation AS o
    SET statut = s.statut
    FROM (
        SELECT DISTINCT ON (e.stream_id)
            e.stream_id,
            oi.statut_apres(e.name, e.data) AS statut
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name LIKE 'operation.%'
            AND oi.statut_apres(e.name, e.data) IS NOT NULL
        ORDER BY e.stream_id, e.position DESC
    ) AS s
    WHERE o.id = s.stream_id AND o.statut IS DISTINCT FROM s.statut;

    UPDATE operation AS o
    SET intitule = r.data ->> 'intitule_apres', objet = r.data ->> 'objet_apres',
        debut = (r.data -> 'periode_apres' ->> 'debut')::date,
        fin = (r.data -> 'periode_apres' ->> 'fin')::date
    FROM (
        SELECT DISTINCT ON (e.stream_id) e.stream_id, e.data
        FROM oi.event AS e
        WHERE e.position BETWEEN lo AND hi AND e.name = 'operation.dossier_rectifie.v1'
        ORDER BY e.stream_id, e.position DESC
    ) AS r
    WHERE o.id = r.stream_id;

    UPDATE operation AS o
    SET numero_convention = e.data ->> 'numero_convention'
    FROM oi.event AS e
    WHERE e.position BETWEEN lo AND hi AND e.name = 'operation.conventionnee.v1'
        AND o.id = e.stream_id;
END
$$;

-- The operations as known at a position and effective on a day.
CREATE OR REPLACE FUNCTION oi.operations_au(connu_le bigint, effet_au date)
RETURNS SETOF projection.operation
LANGUAGE sql STABLE AS $$
    SELECT
        o.id, o.sg_id, o.appel_a_projets_id, o.fiche_code, o.numero_mdfse, o.siret, o.beneficiaire,
        o.type_beneficiaire, o.plie_id, o.annee, o.axe, o.objectif_specifique, o.dispositif,
        coalesce(r.data ->> 'intitule_apres', d.data ->> 'intitule'),
        coalesce(r.data ->> 'objet_apres', d.data ->> 'objet'),
        coalesce(r.data -> 'periode_apres' ->> 'debut', d.data -> 'periode' ->> 'debut')::date,
        coalesce(r.data -> 'periode_apres' ->> 'fin', d.data -> 'periode' ->> 'fin')::date,
        o.depose_le, s.statut, c.data ->> 'numero_convention'
    FROM projection.operation AS o
    INNER JOIN oi.event AS d
        ON d.stream_id = o.id AND d.version = 1
            AND d.position <= connu_le AND d.date_effet <= effet_au
    INNER JOIN LATERAL (
        SELECT oi.statut_apres(e.name, e.data) AS statut
        FROM oi.event AS e
        WHERE e.stream_id = o.id AND e.position <= connu_le AND e.date_effet <= effet_au
            AND oi.statut_apres(e.name, e.data) IS NOT NULL
        ORDER BY e.version DESC LIMIT 1
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT e.data
        FROM oi.event AS e
        WHERE e.stream_id = o.id AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.name = 'operation.dossier_rectifie.v1'
        ORDER BY e.version DESC LIMIT 1
    ) AS r ON true
    LEFT JOIN LATERAL (
        SELECT e.data
        FROM oi.event AS e
        WHERE e.stream_id = o.id AND e.position <= connu_le AND e.date_effet <= effet_au
            AND e.name = 'operation.conventionnee.v1'
        ORDER BY e.version DESC LIMIT 1
    ) AS c ON true
$$;
