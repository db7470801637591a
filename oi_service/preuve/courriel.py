"""A point sent to who audits: what they keep is out of reach of whoever runs the database."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from oi_service.clock import PARIS
from oi_service.preuve.point import PointSigne, cle_de_verification

#: Seconds that each exchange with the server may last.
DELAI = 20.0
#: Ports of the two ways in, when the address says none.
_PORTS = {"smtp": 25, "smtps": 465}


class _NonEnvoye(Exception):
    """Why nothing could be sent, in French."""


@dataclass(frozen=True, slots=True)
class Messagerie:
    """A server of e-mail, who writes and to whom; what the operator did not set is ``None``.

    ``smtp://`` ciphers by STARTTLS when the server offers it, and never gives a password without;
    ``smtps://`` ciphers from the first byte. The certificate of the server is always checked.
    """

    url: str | None
    expediteur: str | None
    destinataires: tuple[str, ...]
    delai: float = DELAI

    def envoyer(self, message: EmailMessage) -> Mapping[str, str | None]:
        """Send; return, by recipient, why it could not be, or ``None`` when the server took it.

        No reason repeats what the server says: it would put addresses in what is kept for ever.
        """
        if not self.url or not self.expediteur:
            raison = "OI_SMTP_URL ou OI_COURRIEL_EXPEDITEUR n’est pas réglé"
            return dict.fromkeys(self.destinataires, raison)
        try:
            message["From"] = self.expediteur
            message["To"] = ", ".join(self.destinataires)
            with self._connexion(self.url) as serveur:
                refuses = serveur.send_message(message)
        except smtplib.SMTPRecipientsRefused as tous:
            refuses = tous.recipients
        except _NonEnvoye as manque:
            return dict.fromkeys(self.destinataires, str(manque))
        except (OSError, ValueError) as echec:
            return dict.fromkeys(self.destinataires, _raison(echec, self.delai))
        return {
            adresse: f"le serveur de courriel refuse ce destinataire ({refuses[adresse][0]})"
            if adresse in refuses
            else None
            for adresse in self.destinataires
        }

    @contextmanager
    def _connexion(self, url: str) -> Iterator[smtplib.SMTP]:
        adresse = urlsplit(url)
        if adresse.scheme not in _PORTS or not adresse.hostname:
            raise _NonEnvoye("OI_SMTP_URL doit avoir la forme smtp://serveur ou smtps://serveur")
        port = adresse.port or _PORTS[adresse.scheme]
        chiffre = ssl.create_default_context()
        if adresse.scheme == "smtps":
            serveur: smtplib.SMTP = smtplib.SMTP_SSL(
                adresse.hostname, port, timeout=self.delai, context=chiffre
            )
        else:
            serveur = smtplib.SMTP(adresse.hostname, port, timeout=self.delai)
        with serveur:
            serveur.ehlo()
            if adresse.scheme == "smtp" and serveur.has_extn("starttls"):
                serveur.starttls(context=chiffre)
            elif adresse.scheme == "smtp" and adresse.password:
                raise _NonEnvoye(
                    "le serveur de courriel n’offre pas STARTTLS, et un mot de passe ne "
                    "s’envoie pas en clair"
                )
            if adresse.username:
                serveur.login(unquote(adresse.username), unquote(adresse.password or ""))
            yield serveur


def _raison(echec: Exception, delai: float) -> str:
    match echec:
        case smtplib.SMTPAuthenticationError():
            return f"le serveur de courriel refuse le compte ({echec.smtp_code})"
        case smtplib.SMTPSenderRefused():
            return f"le serveur de courriel refuse l’expéditeur ({echec.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"le serveur de courriel refuse le message ({echec.smtp_code})"
        case ssl.SSLError():
            return "la liaison chiffrée avec le serveur de courriel ne s’établit pas"
        case TimeoutError():
            return f"le serveur de courriel n’a pas répondu en {delai:g} secondes"
        case ValueError():
            return "une adresse de courriel est mal écrite"
        case _:
            return "le serveur de courriel ne répond pas"


def masquee(adresse: str) -> str:
    """Return what may be kept of an address: whose mail it is, not who reads it."""
    return f"…@{adresse.rpartition('@')[2]}"


def message_de(ancre: PointSigne, cle_publique: bytes, pieces: Mapping[str, bytes]) -> EmailMessage:
    """Write the message that goes with a point, for who keeps it and is no engineer.

    ``pieces``: the files joined, the point first, by their names.
    """
    point = ancre.point
    quand = point.instant.astimezone(PARIS)
    nombre = f"{point.taille:,}".replace(",", "\u202f")
    message = EmailMessage()
    message["Subject"] = f"Ancre du journal : {nombre} événements au {quand:%d/%m/%Y}"
    message["Date"] = format_datetime(point.instant)
    message.set_content(
        _TEXTE.format(
            nombre=nombre,
            quand=f"{quand:%d/%m/%Y à %H:%M}",
            fichier=next(iter(pieces)),
            joints=", ".join(pieces),
            origine=point.origine,
            cle=cle_de_verification(point.origine, cle_publique),
        )
    )
    for nom, octets in pieces.items():
        # As bytes: a mail server may change the ends of lines of what it takes for a text.
        message.add_attachment(octets, maintype="application", subtype="octet-stream", filename=nom)
    return message


_TEXTE = """\
Bonjour,

Ce message est envoyé par le registre de l’organisme intermédiaire. Il n’appelle pas de réponse.

Le journal du registre comptait {nombre} événements le {quand} (heure de Paris).
Le fichier joint {fichier} en est l’empreinte signée : une ancre.

CE QU’IL FAUT FAIRE
Gardez ce message et ses pièces jointes ({joints}), sans les modifier, là où
l’organisme ne peut ni les changer ni les effacer. Rien d’autre.

À QUOI IL SERT
Le jour d’un contrôle, demandez une archive du journal : son vérificateur compare l’archive à
l’ancre que vous avez gardée. Si un seul événement enregistré avant le {quand} a été
modifié, retiré, ajouté ou déplacé depuis, il le dit.

CE QU’IL NE PROUVE PAS
- Ce qui est enregistré après cette ancre n’est protégé que par la suivante.
- Que le journal n’a pas changé ne prouve pas que ce qui y est écrit est exact.

L’ancre ne contient ni montant, ni nom, ni aucune donnée d’un dossier.

Journal : {origine}
Clé de vérification : {cle}
Comparez cette clé à celle de vos messages précédents : elle ne change que si le journal le dit.
"""
