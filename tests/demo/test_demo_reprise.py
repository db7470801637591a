"""A play that was killed goes on where it stopped, and ends as if nothing had happened."""

import subprocess
import sys

import pytest
from bases import base_neuve
from demo_jouee import Jeu

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.demo.vie import deja_jouee, jouer
from projections.verification import violations

pytestmark = pytest.mark.xdist_group("demo")

_JOUEUR = """
import sys
from oi_service.app import open_service
from oi_service.demo.vie import jouer
with open_service(sys.argv[1]) as service:
    jouer(service, progres=lambda etape, fait, total: print(fait, flush=True))
"""

#: All but what is ciphered, which is never written twice the same.
_JOURNAL = b"""
    SELECT position, stream_id, version, name, data #- '{identite,texte}', date_effet, acteur, role,
        motif, pieces, command_id
    FROM oi.event ORDER BY position
"""


def _journal(service: Service) -> list[tuple[object, ...]]:
    with service.reads.connection() as conn:
        return conn.execute(_JOURNAL).fetchall()


def test_killed_in_the_middle_it_goes_on_without_doubling(
    jeu: Jeu, serveur: str, modele: str
) -> None:
    with base_neuve(serveur, modele) as base:
        joueur = subprocess.Popen(
            [sys.executable, "-c", _JOUEUR, base], stdout=subprocess.PIPE, text=True
        )
        assert joueur.stdout is not None
        with joueur.stdout as dit:
            for fait in dit:
                if int(fait) == 900:
                    break
            joueur.kill()
        joueur.wait()
        with open_service(base) as service:
            assert not deja_jouee(service)
            assert len(_journal(service)) < jeu.bilan.evenements
            assert jouer(service, progres=lambda *_: None) == jeu.bilan
            assert deja_jouee(service)
            assert _journal(service) == _journal(jeu.service)


def test_another_seed_tells_the_same_story_with_other_amounts(
    jeu: Jeu, serveur: str, modele: str
) -> None:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        bilan = jouer(service, graine=7, progres=lambda *_: None)
        with service.reads.connection() as conn:
            assert [v for _, found in violations(conn) for v in found] == []
    assert (bilan.dossiers, bilan.bilans, bilan.paiements) == (
        jeu.bilan.dossiers,
        jeu.bilan.bilans,
        jeu.bilan.paiements,
    )
    assert bilan.depenses != jeu.bilan.depenses
