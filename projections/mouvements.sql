-- The posting rules: which event moves which measure, by how much, and on which line.
--
-- Each block is one event, each row of VALUES one movement (measure, cents). Measures: fse_ is the
-- Fund's money, ct_ the total cost, cp_ the contreparties (everything that is not the Fund's),
-- nb_ a count.
-- Where a block names no cell, the line is that of the operation. An event that is not here moves
-- no amount: the list is EVENTS_WITHOUT_MOVEMENT in projections/mouvements.py, and a test compares.
CREATE OR REPLACE FUNCTION oi.project_mouvement(lo bigint, hi bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mouvement (
        position, rang, mesure, centimes, sg_id, plie_id, annee, axe, objectif_specifique,
        dispositif, operation_id, financeur_type, financeur, date_effet
    )
    WITH e AS MATERIALIZED (
        SELECT
            position, stream_id, version, name, date_effet,
            -- Unpacked here once, and not again for each amount that is read of it.
            CASE WHEN pg_column_compression(data) IS NULL THEN data ELSE data || '{}' END AS data
        FROM oi.event WHERE position BETWEEN lo AND hi AND NOT starts_with(name, 'depense.')
    ),

    -- 1. The grant is shared: what a tranche opens waits for a PLIE, then moves to it.
    maquette (position, sg_id, ligne, plie_id, mesure, centimes) AS (
        SELECT e.position, e.stream_id, l.ligne -> 'ligne', 'non_reparti', m.mesure, m.centimes
        FROM e, jsonb_array_elements(e.data -> 'lignes') AS l (ligne),
            LATERAL (VALUES
                ('fse_maquette', (l.ligne ->> 'fse_centimes')::bigint),
                ('ct_maquette', (l.ligne ->> 'fse_centimes')::bigint
                    + (l.ligne ->> 'contreparties_publiques_centimes')::bigint
                    + (l.ligne ->> 'contreparties_privees_centimes')::bigint)
            ) AS m (mesure, centimes)
        WHERE e.name = 'subvention_globale.tranche_ouverte.v1'

        UNION ALL
        SELECT e.position, e.stream_id, e.data -> 'cellule' -> 'ligne', m.plie_id, m.mesure, m.centimes
        FROM e, LATERAL (VALUES
            (e.data -> 'cellule' ->> 'plie_id', 'fse_maquette', (e.data ->> 'fse_centimes')::bigint),
            (e.data -> 'cellule' ->> 'plie_id', 'ct_maquette', (e.data ->> 'cout_total_centimes')::bigint),
            ('non_reparti', 'fse_maquette', -(e.data ->> 'fse_centimes')::bigint),
            ('non_reparti', 'ct_maquette', -(e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (plie_id, mesure, centimes)
        WHERE e.name = 'subvention_globale.enveloppe_plie_notifiee.v1'

        UNION ALL
        SELECT e.position, e.stream_id, e.data -> 'ligne', m.plie_id, m.mesure, m.centimes
        FROM e, LATERAL (VALUES
            ('reserve', 'fse_maquette', (e.data ->> 'fse_centimes')::bigint),
            ('reserve', 'ct_maquette', (e.data ->> 'cout_total_centimes')::bigint),
            ('non_reparti', 'fse_maquette', -(e.data ->> 'fse_centimes')::bigint),
            ('non_reparti', 'ct_maquette', -(e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (plie_id, mesure, centimes)
        WHERE e.name = 'subvention_globale.reserve_constituee.v1'

        UNION ALL
        SELECT e.position, e.stream_id, m.cellule -> 'ligne', m.cellule ->> 'plie_id', m.mesure, m.centimes
        FROM e, LATERAL (VALUES
            (e.data -> 'de', 'fse_maquette', -(e.data ->> 'fse_centimes')::bigint),
            (e.data -> 'de', 'ct_maquette', -(e.data ->> 'cout_total_centimes')::bigint),
            (e.data -> 'vers', 'fse_maquette', (e.data ->> 'fse_centimes')::bigint),
            (e.data -> 'vers', 'ct_maquette', (e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (cellule, mesure, centimes)
        WHERE e.name = 'subvention_globale.transfert_enveloppe_decide.v1'

        -- An avenant of the grant says cell by cell what it adds or takes.
        UNION ALL
        SELECT e.position, e.stream_id, c.ecart -> 'cellule' -> 'ligne',
            c.ecart -> 'cellule' ->> 'plie_id', m.mesure, m.centimes
        FROM e, jsonb_array_elements(e.data -> 'ecarts') AS c (ecart),
            LATERAL (VALUES
                ('fse_maquette', (c.ecart ->> 'fse_centimes')::bigint),
                ('ct_maquette', (c.ecart ->> 'cout_total_centimes')::bigint)
            ) AS m (mesure, centimes)
        WHERE e.name = 'subvention_globale.avenant_signe.v1'
    ),

    -- 2. The life of an operation, from its stream.
    -- 3. The life of its convention, from the convention's stream.
    operations (position, operation_id, mesure, centimes, financeur_type, financeur) AS (
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_depose', (e.data ->> 'fse_demande_centimes')::bigint),
            ('ct_depose', (e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.dossier_depose.v1'

        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_depose', -(e.data ->> 'fse_demande_centimes')::bigint),
            ('ct_depose', -(e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name IN ('operation.irrecevabilite_prononcee.v1', 'operation.dossier_retire.v1')

        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme', (e.data ->> 'fse_centimes')::bigint),
            ('fse_programme_ajuste', (e.data ->> 'fse_centimes')::bigint),
            ('ct_programme', (e.data ->> 'cout_total_centimes')::bigint),
            ('ct_programme_ajuste', (e.data ->> 'cout_total_centimes')::bigint),
            ('nb_operations', 1)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.programmee.v1'

        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme', -(e.data ->> 'fse_centimes')::bigint),
            ('fse_programme_ajuste', -(e.data ->> 'fse_centimes')::bigint),
            ('ct_programme', -(e.data ->> 'cout_total_centimes')::bigint),
            ('ct_programme_ajuste', -(e.data ->> 'cout_total_centimes')::bigint),
            ('nb_operations', -1)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.deprogrammee.v1'

        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme', -(e.data ->> 'fse_programme_centimes')::bigint),
            ('fse_programme_ajuste', -(e.data ->> 'fse_programme_centimes')::bigint),
            ('ct_programme', -(e.data ->> 'cout_total_programme_centimes')::bigint),
            ('ct_programme_ajuste', -(e.data ->> 'cout_total_programme_centimes')::bigint),
            ('nb_operations', -least((e.data ->> 'cout_total_programme_centimes')::bigint, 1))
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.dossier_retire.v1'

        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme', (e.data ->> 'ecart_fse_centimes')::bigint),
            ('fse_programme_ajuste', (e.data ->> 'ecart_fse_centimes')::bigint),
            ('ct_programme', (e.data ->> 'ecart_cout_total_centimes')::bigint),
            ('ct_programme_ajuste', (e.data ->> 'ecart_cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.programmation_modifiee.v1'

        -- Once settled, an operation weighs what it really costs: the rest is free again.
        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme_ajuste', -(e.data ->> 'reliquat_centimes')::bigint),
            ('ct_programme_ajuste', (e.data ->> 'cout_total_retenu_centimes')::bigint
                - (e.data ->> 'cout_total_programme_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.soldee.v1'

        -- A control opened again after the solde: what it changed is free, or taken, in turn.
        UNION ALL
        SELECT e.position, e.stream_id, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_programme_ajuste', (e.data ->> 'fse_du_apres_centimes')::bigint
                - (e.data ->> 'fse_du_avant_centimes')::bigint),
            ('ct_programme_ajuste', (e.data ->> 'cout_total_retenu_apres_centimes')::bigint
                - (e.data ->> 'cout_total_retenu_avant_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'operation.suites_closes.v1'

        -- Who pays beside the Fund, as programmed.
        UNION ALL
        SELECT e.position, e.stream_id, 'cp_programmee',
            s.sens * (r.ressource ->> 'montant_centimes')::bigint,
            r.ressource ->> 'type', r.ressource ->> 'financeur'
        FROM e, LATERAL (VALUES
            (CASE WHEN e.name = 'operation.programmee.v1' THEN 1 ELSE -1 END, e.data -> 'ressources')
        ) AS s (sens, ressources), jsonb_array_elements(s.ressources) AS r (ressource)
        WHERE e.name IN (
            'operation.programmee.v1', 'operation.deprogrammee.v1', 'operation.dossier_retire.v1')

        UNION ALL
        SELECT e.position, e.stream_id, 'cp_programmee',
            s.sens * (r.ressource ->> 'montant_centimes')::bigint,
            r.ressource ->> 'type', r.ressource ->> 'financeur'
        FROM e, LATERAL (VALUES
            (-1, e.data -> 'ressources_avant'), (1, e.data -> 'ressources_apres')
        ) AS s (sens, ressources), jsonb_array_elements(s.ressources) AS r (ressource)
        WHERE e.name = 'operation.programmation_modifiee.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_conventionne', (e.data ->> 'fse_max_centimes')::bigint),
            ('ct_conventionne', (e.data ->> 'cout_total_eligible_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.notifiee.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_conventionne', (e.data ->> 'ecart_fse_centimes')::bigint),
            ('ct_conventionne', (e.data ->> 'ecart_cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.avenant_signe.v1'

        -- Who pays beside the Fund, under convention.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'cp_conventionnee',
            (r.ressource ->> 'montant_centimes')::bigint,
            r.ressource ->> 'type', r.ressource ->> 'financeur'
        FROM e, jsonb_array_elements(e.data -> 'ressources') AS r (ressource)
        WHERE e.name = 'convention.notifiee.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'cp_conventionnee',
            s.sens * (r.ressource ->> 'montant_centimes')::bigint,
            r.ressource ->> 'type', r.ressource ->> 'financeur'
        FROM e, LATERAL (VALUES
            (-1, e.data -> 'ressources_avant'), (1, e.data -> 'ressources_apres')
        ) AS s (sens, ressources), jsonb_array_elements(s.ressources) AS r (ressource)
        WHERE e.name = 'convention.avenant_signe.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_declare', (e.data ->> 'fse_declare_centimes')::bigint),
            ('ct_declare', (e.data ->> 'cout_total_declare_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.bilan_depose.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_declare', -(e.data ->> 'fse_declare_centimes')::bigint),
            ('ct_declare', -(e.data ->> 'cout_total_declare_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.bilan_renvoye.v1'

        -- The control: what the Fund owes since the start moves by the difference of this bilan.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_retenu_csf', (e.data ->> 'fse_du_periode_centimes')::bigint),
            ('ct_retenu_csf', (e.data ->> 'cout_total_retenu_periode_centimes')::bigint),
            ('depenses_declarees', (e.data ->> 'depenses_declarees_centimes')::bigint),
            ('depenses_ecartees', (e.data ->> 'depenses_ecartees_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.csf_valide.v1'

        -- What the control keeps of the contreparties, each funder by its name; a control opened
        -- again takes back what the one before kept.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'cp_retenue',
            s.sens * (r.ressource ->> 'montant_retenu_centimes')::bigint,
            r.ressource ->> 'type', r.ressource ->> 'financeur'
        FROM e
        LEFT JOIN LATERAL (
            SELECT p.data -> 'ressources' AS ressources
            FROM oi.event AS p
            WHERE p.stream_id = e.stream_id AND p.version < e.version AND p.name = e.name
                AND p.data ->> 'bilan_id' = e.data ->> 'bilan_id'
            ORDER BY p.version DESC LIMIT 1
        ) AS avant ON true,
            LATERAL (VALUES (1, e.data -> 'ressources'), (-1, avant.ressources)) AS s (sens, ressources),
            jsonb_array_elements(s.ressources) AS r (ressource)
        WHERE e.name = 'convention.csf_valide.v1'

        -- Closed without the bilan: what earlier bilans proved is kept, or nothing is due.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_retenu_csf', (e.data ->> 'fse_du_apres_centimes')::bigint
                - (e.data ->> 'fse_du_avant_centimes')::bigint),
            ('ct_retenu_csf', (e.data ->> 'cout_total_retenu_apres_centimes')::bigint
                - (e.data ->> 'cout_total_retenu_avant_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.cloture_office_prononcee.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_transmis', (e.data ->> 'fse_centimes')::bigint),
            ('ct_transmis', (e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.etat_depenses_transmis.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_certifie', (e.data ->> 'fse_centimes')::bigint),
            ('ct_certifie', (e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.depense_certifiee.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, m.mesure, m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ('fse_certifie', -(e.data ->> 'fse_centimes')::bigint),
            ('ct_certifie', -(e.data ->> 'cout_total_centimes')::bigint)
        ) AS m (mesure, centimes)
        WHERE e.name = 'convention.depense_retiree.v1'

        -- A payment: what a compensation paid of it is posted by the compensation.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'fse_paye',
            (e.data ->> 'montant_centimes')::bigint
                - coalesce((e.data ->> 'compense_centimes')::bigint, 0), NULL, NULL
        FROM e
        WHERE e.name = 'convention.paiement_effectue.v1'

        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'fse_paye',
            -(e.data ->> 'montant_centimes')::bigint, NULL, NULL
        FROM e
        WHERE e.name IN ('convention.paiement_rejete.v1', 'convention.reversement_encaisse.v1')

        -- A compensation: paid on one operation, and back on the other.
        UNION ALL
        SELECT e.position, m.operation_id, 'fse_paye', m.centimes, NULL, NULL
        FROM e, LATERAL (VALUES
            ((e.data ->> 'operation_id')::uuid, -(e.data ->> 'montant_centimes')::bigint),
            ((e.data ->> 'par_operation_id')::uuid, (e.data ->> 'montant_centimes')::bigint)
        ) AS m (operation_id, centimes)
        WHERE e.name = 'convention.compensation_operee.v1'

        -- What was paid, is not due and will not come back; or is asked again.
        UNION ALL
        SELECT e.position, (e.data ->> 'operation_id')::uuid, 'fse_irrecouvrable',
            CASE WHEN e.name = 'convention.creance_irrecouvrable.v1' THEN 1 ELSE -1 END
                * (e.data ->> 'montant_centimes')::bigint, NULL, NULL
        FROM e
        WHERE e.name IN (
            'convention.creance_irrecouvrable.v1', 'convention.creance_retablie.v1')
    ),

    -- 4. The contreparties: granted and received by the OI or a PLIE, then held by operations.
    contreparties (position, contrepartie_id, operation_id, mesure, centimes) AS (
        SELECT e.position, e.stream_id, NULL::uuid, 'cp_attribuee',
            CASE WHEN e.name = 'contrepartie.attribuee.v1' THEN 1 ELSE -1 END
                * (e.data ->> 'montant_centimes')::bigint
        FROM e
        WHERE e.name IN ('contrepartie.attribuee.v1', 'contrepartie.attribution_annulee.v1')

        UNION ALL
        SELECT e.position, e.stream_id, NULL, 'cp_percue',
            CASE WHEN e.name = 'contrepartie.percue.v1' THEN 1 ELSE -1 END
                * (e.data ->> 'montant_centimes')::bigint
        FROM e
        WHERE e.name IN ('contrepartie.percue.v1', 'contrepartie.perception_annulee.v1')

        UNION ALL
        SELECT e.position, e.stream_id, (e.data ->> 'operation_id')::uuid, 'cp_affectee',
            CASE WHEN e.name = 'contrepartie.affectee.v1' THEN 1 ELSE -1 END
                * (e.data ->> 'montant_centimes')::bigint
        FROM e
        WHERE e.name IN ('contrepartie.affectee.v1', 'contrepartie.affectation_annulee.v1')
    ),

    lignes AS (
        SELECT
            m.position, m.mesure, m.centimes, m.sg_id, m.plie_id, (m.ligne ->> 'annee')::integer AS annee,
            m.ligne ->> 'axe' AS axe, m.ligne ->> 'objectif_specifique' AS objectif_specifique,
            m.ligne ->> 'dispositif' AS dispositif, NULL::uuid AS operation_id,
            NULL AS financeur_type, NULL AS financeur
        FROM maquette AS m
        UNION ALL
        SELECT
            m.position, m.mesure, m.centimes, o.sg_id, o.plie_id, o.annee, o.axe,
            o.objectif_specifique, o.dispositif, o.id, m.financeur_type, m.financeur
        FROM operations AS m INNER JOIN operation AS o ON m.operation_id = o.id
        UNION ALL
        -- Money that no operation holds yet is of no line: PLIE and tranche only.
        SELECT
            m.position, m.mesure, m.centimes, c.sg_id, coalesce(o.plie_id, c.plie_id, 'mutualise'),
            coalesce(o.annee, c.annee), coalesce(o.axe, ''), coalesce(o.objectif_specifique, ''),
            coalesce(o.dispositif, ''), o.id, c.type, c.financeur
        FROM contreparties AS m
        INNER JOIN contrepartie AS c ON m.contrepartie_id = c.id
        LEFT JOIN operation AS o ON m.operation_id = o.id
    )

    SELECT
        l.position,
        row_number() OVER (
            PARTITION BY l.position
            ORDER BY l.mesure, l.plie_id, l.annee, l.axe, l.objectif_specifique, l.dispositif,
                l.financeur_type, l.financeur, l.centimes),
        l.mesure, l.centimes, l.sg_id, l.plie_id, l.annee, l.axe, l.objectif_specifique,
        l.dispositif, l.operation_id, l.financeur_type, l.financeur, e.date_effet
    FROM lignes AS l INNER JOIN e ON l.position = e.position
    WHERE l.centimes <> 0;
END
$$;
