#!/usr/bin/env python3
"""Vérifie une archive du journal, sans rien d’autre que Python (3.8 ou plus récent).

    python3 verifier.py                      dans le dossier décompressé
    python3 verifier.py archive.zip          sans décompresser
    python3 verifier.py --ancre point.txt    avec un point signé que vous détenez d’ailleurs
    python3 verifier.py --cle EMPREINTE      avec l’empreinte de la clé publique, sue d’ailleurs

Code de sortie : 0 intacte, 1 anomalie, 2 pas une archive. N’écrit rien, ne doit rien au service.
"""
from __future__ import annotations

import argparse, base64, io, json, os, re, sys, zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial, reduce
from hashlib import sha256, sha512
from pathlib import Path
from struct import pack
from typing import Any

class Anomalie(Exception):
    """Ce qui ne concorde pas, en une phrase."""

def exiger(condition: object, phrase: str) -> None:
    """Arrête le contrôle en cours si la condition n’est pas remplie."""
    if not condition:
        raise Anomalie(phrase)

def ecrire(ligne: str) -> None:
    """Écrit une ligne du rapport, sans caractère qui agisse sur l’écran."""
    print("".join(c if c.isprintable() else "?" for c in ligne), flush=True)

def hexa(ecrit: str) -> bytes:
    """Lit une empreinte SHA-256, sous sa seule écriture."""
    exiger(re.fullmatch("[0-9a-f]{64}", ecrit), f"« {ecrit[:80]} » n’est pas une empreinte")
    return bytes.fromhex(ecrit)

def base64_exact(ecrit: str, taille: int) -> bytes:
    """Lit du base64 d’une longueur connue, sous sa seule écriture."""
    octets = base64.b64decode(ecrit)
    exiger(len(octets) == taille and base64.b64encode(octets).decode() == ecrit,
           f"« {ecrit[:99]} » n’est pas {taille} octets en base64")
    return octets

class Archive:
    """Les fichiers d’un dossier ou d’un zip, par leur chemin avec des « / »."""

    def __init__(self, chemin: Path) -> None:
        self.chemin, self.zip = chemin, None if chemin.is_dir() else zipfile.ZipFile(chemin)
        if self.zip:
            fichiers = [fichier for fichier in self.zip.infolist() if not fichier.is_dir()]
            self.tailles = {fichier.filename: fichier.file_size for fichier in fichiers}
            exiger(len(fichiers) == len(self.tailles), "deux fichiers du zip ont le même nom")
        else:
            self.tailles = {f.relative_to(chemin).as_posix(): f.stat().st_size
                            for f in chemin.rglob("*") if f.is_file() and not f.is_symlink()}

    def lignes(self, nom: str, longueur: int = 1 << 28) -> Iterator[bytes]:
        """Lit ligne à ligne un fichier de l’archive, et aucun autre."""
        exiger(nom in self.tailles, f"le fichier {nom} manque")
        brut: Any = self.zip.open(nom) if self.zip else (self.chemin / nom).open("rb")
        with io.BufferedReader(brut, 1 << 20) as fichier:
            yield from iter(partial(fichier.readline, longueur), b"")

    def lire(self, nom: str) -> bytes:
        """Lit un fichier court en entier."""
        return b"".join(self.lignes(nom))

    def empreinte(self, nom: str) -> str:
        """Calcule l’empreinte SHA-256 d’un fichier."""
        hache = sha256()
        for bloc in self.lignes(nom, 1 << 20):
            hache.update(bloc)
        return hache.hexdigest()

# ------------------------------------------------------------------ Ed25519 (RFC 8032 §5.1)
P, ORDRE = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, RACINE_DE_MOINS_UN = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)

def decompresser(octets: bytes) -> Any:
    """Lit un point de la courbe, en coordonnées étendues ; None si ce n’en est pas un."""
    y = int.from_bytes(octets, "little")
    signe, y = y >> 255, y & (2**255 - 1)
    carre = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(carre, (P + 3) // 8, P)
    if x * x % P != carre:
        x = x * RACINE_DE_MOINS_UN % P
    if len(octets) != 32 or y >= P or x * x % P != carre or (x == 0 and signe):
        return None
    x = x if x & 1 == signe else P - x
    return x, y, 1, x * y % P

def somme(p: Any, q: Any) -> Any:
    """Additionne deux points de la courbe."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def signature_valide(cle: bytes, message: bytes, signature: bytes) -> bool:
    """Vérifie une signature Ed25519, dont le second nombre doit être réduit."""
    a, s = decompresser(cle), int.from_bytes(signature[32:], "little")
    if a is None or len(signature) != 64 or s >= ORDRE:
        return False
    k = int.from_bytes(sha512(signature[:32] + cle + message).digest(), "little") % ORDRE
    base, oppose = decompresser(b"\x58" + b"\x66" * 31), (P - a[0], a[1], 1, P - a[3])
    neutre = total = (0, 1, 1, 0)
    termes = (neutre, base, oppose, somme(base, oppose))
    for i in range(252, -1, -1):  # s × base − k × clé, les deux produits à la fois.
        total = somme(somme(total, total), termes[(s >> i & 1) + 2 * (k >> i & 1)])
    inverse = pow(total[2], P - 2, P)
    x, y = total[0] * inverse % P, total[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]

# ------------------------------------------------------------------ Arbre (RFC 9162 §2.1)
def noeud(gauche: bytes, droite: bytes) -> bytes:
    """Réunit deux sous-arbres."""
    return sha256(b"\x01" + gauche + droite).digest()

def par_inclusion(feuille: bytes, rang: int, taille: int, preuve: list[bytes]) -> bytes:
    """Rend la racine que donne une preuve d’inclusion ; le rang se compte de 0 (§2.1.3)."""
    exiger(0 <= rang < taille and bool(preuve) == (taille > 1), "preuve d’une autre longueur")
    if taille == 1:
        return feuille
    *reste, voisin = preuve
    gauche = 1 << (taille - 1).bit_length() - 1  # La plus grande puissance de deux moindre.
    if rang < gauche:
        return noeud(par_inclusion(feuille, rang, gauche, reste), voisin)
    return noeud(voisin, par_inclusion(feuille, rang - gauche, taille - gauche, reste))

def par_coherence(avant: bytes, ancienne: int, nouvelle: int, preuve: list[bytes],
                  complet: bool = True) -> tuple[bytes, bytes]:
    """Rend les deux racines, ancienne et nouvelle, que donne une preuve de cohérence (§2.1.4)."""
    attendus = (not complet,) if ancienne == nouvelle else range(1, 65)
    exiger(0 < ancienne <= nouvelle and len(preuve) in attendus, "preuve d’une autre longueur")
    if ancienne == nouvelle:
        return (avant, avant) if complet else (preuve[0], preuve[0])
    *reste, voisin = preuve
    gauche = 1 << (nouvelle - 1).bit_length() - 1
    if ancienne <= gauche:
        petite, grande = par_coherence(avant, ancienne, gauche, reste, complet)
        return petite, noeud(grande, voisin)
    petite, grande = par_coherence(avant, ancienne - gauche, nouvelle - gauche, reste, False)
    return noeud(voisin, petite), noeud(voisin, grande)

# ------------------------------------------------------------------ Une ligne, un enregistrement
CHAINE = r'"([^"\\\x00-\x1f]*(?:\\(?:["\\bfnrt]|u00[01][0-9a-f])[^"\\\x00-\x1f]*)*)"'
UUID, JOUR = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[0-9]{4}-[0-9]{2}-[0-9]{2}"
INSTANT = JOUR + "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
FORMES = {  # Les champs d’une ligne, dans l’ordre ; viennent ensuite ``pieces`` et ``data``.
    "position": "([1-9][0-9]{0,17})", "stream_id": f'"({UUID})"', "version": "([1-9][0-9]{0,9})",
    "event_id": f'"({UUID})"', "name": CHAINE, "date_effet": f'"({JOUR})"',
    "enregistre_le": fr'"({INSTANT}\.[0-9]{{6}})Z"', "acteur": CHAINE, "role": CHAINE,
    "oi_id": CHAINE, "reglement": CHAINE, "motif": f"(?:null|{CHAINE})",
    "command_id": f'"({UUID})"', "fingerprint": '(?:null|"((?:[0-9a-f]{2})*)")',
    "correlation_id": f'"({UUID})"', "cause_id": f'(?:null|"({UUID})")',
    "seal_scheme": "([01])", "seal": '"([0-9a-f]{64})"'}
DEBUT = re.compile("{" + "".join(f'"{nom}" : {f}, ' for nom, f in FORMES.items()) + '"pieces" : ')
# Les nombres restent du texte : PostgreSQL en garde de plus longs que Python n’en lit.
LECTEUR = json.JSONDecoder(parse_int=str, parse_float=str)

AN_2000 = datetime(2000, 1, 1)
TYPES: Any = {  # Le numéro du type dans PostgreSQL, et ce qui en écrit les octets.
    "int2": (21, lambda ecrit: pack(">h", int(ecrit))),
    "int4": (23, lambda ecrit: pack(">i", int(ecrit))),
    "int8": (20, lambda ecrit: pack(">q", int(ecrit))),
    "uuid": (2950, lambda ecrit: bytes.fromhex(ecrit.replace("-", ""))),
    "date": (1082, lambda ecrit: pack(">i", (datetime.fromisoformat(ecrit) - AN_2000).days)),
    "timestamptz": (1184, lambda ecrit: pack(
        ">q", (datetime.fromisoformat(ecrit) - AN_2000) // timedelta(microseconds=1))),
    "texte": (17, lambda ecrit: (json.loads(f'"{ecrit}"') if "\\" in ecrit else ecrit).encode()),
    "brut": (17, str.encode), "hexa": (17, bytes.fromhex)}
SCELLES = [(champ.split(":")[0], *TYPES[champ.split(":")[1]]) for champ in (
    "seal_scheme:int2 position:int8 stream_id:uuid version:int4 event_id:uuid name:texte data:brut "
    "date_effet:date enregistre_le:timestamptz acteur:texte role:texte oi_id:texte reglement:texte "
    "motif:texte pieces:brut command_id:uuid fingerprint:hexa correlation_id:uuid cause_id:uuid"
).split()]

def lire_ligne(octets: bytes) -> tuple[dict[str, Any], bytes, list[str]]:
    """Lit une ligne : ses champs tels qu’écrits, les octets scellés, les pièces citées."""
    ligne = octets.decode()
    tete: Any = DEBUT.match(ligne)
    exiger(tete, "la ligne n’a pas les champs attendus, dans leur ordre")
    champs = dict(zip(FORMES, tete.groups()))
    pieces, fin = LECTEUR.raw_decode(ligne, tete.end())
    suite = fin + len(', "data" : ')
    donnees, bout = LECTEUR.raw_decode(ligne, suite)
    exiger(ligne[fin:suite] == ', "data" : ' and ligne[bout:] == "}\n" and type(pieces) is list
           and type(donnees) is dict, "la ligne ne finit pas comme un événement")
    champs["pieces"], champs["data"] = ligne[tete.end() : fin], ligne[suite:bout]
    morceaux = [pack(">i", len(SCELLES))]
    for nom, numero, ecrire in SCELLES:
        valeur = None if champs[nom] is None else ecrire(champs[nom])
        morceaux += (pack(">ii", numero, -1 if valeur is None else len(valeur)), valeur or b"")
    return champs, b"".join(morceaux), [piece["sha256"] for piece in pieces]

def tirer(doc: Any) -> list[Any]:
    """Refait un tirage, d’après le document « Tirages », et le dit comme son événement."""
    demande, strates, tirage = doc["parametres"], {}, []  # type: Any, Any, list[Any]
    for ligne in (ligne for ligne in doc["population"] if ligne[1] > 0):
        rang = sum(borne <= ligne[1] for borne in demande["bornes_centimes"])
        lieu = dict(zip(doc["colonnes"], ligne), montant=f"tranche-{rang}")
        strates.setdefault(lieu.get(demande["critere"], ""), {})[ligne[0]] = ligne[1]
    n, par_montant = demande["taille"], demande["repartition"] == "montant"
    poids = {c: sum(strates[c].values()) if par_montant else len(strates[c]) for c in strates}
    total, tailles = sum(poids.values()), dict.fromkeys(sorted(poids), 1)
    while sum(tailles.values()) < n:  # Une de plus là où il en manque le plus.
        libres = [c for c in tailles if tailles[c] < len(strates[c])]
        tailles[max(libres, key=lambda c: n * poids[c] - tailles[c] * total)] += 1
    for c, strate in sorted(strates.items()):
        a_tirer, graine = tailles[c], doc["graine"] + (f":{c}" if c else "")
        ordre = sorted(strate, key=lambda i: sha256(f"{graine}:{i}".encode()).digest())
        base, seuil, choisies = sum(strate.values()), sum(strate.values()) + 1, ordre[:a_tirer]
        if doc["algorithme"] == "sha256-v1":  # Autant qu’il en faut pour la part du montant.
            return next(ordre[:k] for k in range(a_tirer, len(ordre) + 1) if demande[
                "couverture_millioniemes"] * base <= 10**6 * sum(strate[i] for i in ordre[:k]))
        if "mus" in (doc["methode"], demande["selection"]):
            for montant in sorted(strate.values(), reverse=True):
                if montant * a_tirer >= base:  # Prise d’office : l’intervalle est base / a_tirer.
                    a_tirer, base, seuil = a_tirer - 1, base - montant, montant
            depart = int(sha256(f"{graine}:depart".encode()).hexdigest(), 16) % max(base, 1)
            choisies, bas = [i for i in ordre if strate[i] >= seuil], -1 - depart
            for i in ordre:  # Porte-t-elle une unité choisie, du départ de base en base ?
                bas, haut = bas + strate[i] * a_tirer * (strate[i] < seuil), bas // max(base, 1)
                choisies += [i] if bas // max(base, 1) > haut else []
        tirage += [{"depense_id": i, "montant_centimes": strate[i], "strate": c,
                    "exhaustive": strate[i] >= seuil} for i in choisies]
    return tirage

# ------------------------------------------------------------------ La vérification
POINT = re.compile(
    fr"((oi_service/journal/{UUID})\n([1-9][0-9]{{0,17}})\n([A-Za-z0-9+/]{{43}}=)\n"
    fr"instant {INSTANT}Z\nsceau ([0-9a-f]{{64}})\n)\n— \2 ([A-Za-z0-9+/]{{91}}=)\n")
CHEMIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
JOURNAUX = ("evenements.jsonl", "preuves.jsonl", "coherence.json", "cles.json")

class Verification:
    """Les contrôles d’une archive, dans l’ordre, et ce qu’ils trouvent."""

    def __init__(self, archive: Archive, ancres: list[str], cle: str | None) -> None:
        self.archive, self.ancres, self.cle = archive, ancres, cle
        self.manifeste: Any = json.loads(archive.lire("manifeste.json"))
        exiger(self.manifeste["format"] == "oi-archive/1", "le format n’est pas « oi-archive/1 »")
        journal, self.complet = self.manifeste["journal"], self.manifeste["complet"] is True
        self.taille, self.origine = journal["taille"], journal["origine"]
        self.arret = (self.taille, journal["point"])
        self.echecs, self.en_cause, self.apres_coup, self.ancre, self.au_dela = 0, "", 0, 0, 0
        self.cles: list[tuple[int, bytes]] = []  # La taille d’où elle signe, la clé.
        self.points: list[tuple[int, str, tuple[bytes, str]]] = []  # Taille, nom, (racine, sceau).
        self.etablis: dict[int, tuple[bytes, str]] = {}  # De même, tirés des événements.
        self.citees: dict[str, int] = {}  # Empreinte d’une pièce : l’événement qui la cite.
        self.dits: dict[int, Any] = {}  # Ce que disent les tirages et leurs listes, par numéro.

    def dire(self, etat: str, sujet: str, phrase: str) -> None:
        """Écrit ce qu’un contrôle a trouvé."""
        ecrire(f"{etat:8}  {sujet} : {phrase}.")
        self.echecs += etat == "ANOMALIE"

    def controler(self, sujet: str, controle: Callable[[], str]) -> None:
        """Fait un contrôle et écrit ce qu’il donne ; ce qui ne se lit pas est une anomalie."""
        try:
            self.dire("OK", sujet, controle())
        except Exception as erreur:
            genre = "" if type(erreur) is Anomalie else f"illisible, {type(erreur).__name__}, "
            self.en_cause = self.en_cause and f"{self.en_cause} : {genre}{erreur}"
            self.dire("ANOMALIE", sujet, self.en_cause or f"{genre}{erreur}")

    def fichiers(self) -> str:
        """Compare chaque fichier à l’empreinte que le manifeste en donne."""
        vus, faux = {"manifeste.json"}, []
        for fichier in self.manifeste["fichiers"]:
            nom, attendu = fichier["chemin"], (fichier["octets"], fichier["sha256"])
            if not CHEMIN.fullmatch(nom) or nom in vus:
                faux.append(f"{nom} est un chemin refusé")
            elif nom not in self.archive.tailles:
                faux.append(f"{nom} manque")
            elif (self.archive.tailles[nom], self.archive.empreinte(nom)) != attendu:
                faux.append(f"{nom} a changé")
            elif nom.startswith("pieces/") and nom != "pieces/" + attendu[1]:
                faux.append(f"{nom} n’a pas le contenu que dit son nom")
            vus.add(nom)
        for nom in sorted(set(self.archive.tailles) - vus):
            if nom.startswith(("pieces/", "points/")) or nom in JOURNAUX:
                faux.append(f"{nom} a été ajouté")
            else:
                self.dire("À NOTER", "Fichiers", f"{nom} n’est pas dans le manifeste")
        exiger(not faux, " ; ".join(faux[:20]) + " ; …" * (len(faux) > 20))
        return f"les {len(vus) - 1} fichiers sont ceux du manifeste"

    def trousseau(self) -> str:
        """Suit la succession des clés publiques, et y cherche celle que l’auditeur connaît."""
        rupture, noms = 0, []  # Le rang d’une clé qu’aucune autre n’annonce, les noms de chacune.
        for rang, cle in enumerate(json.loads(self.archive.lire("cles.json"))):
            depuis, publique = cle["depuis"], base64_exact(cle["cle"], 32)
            if rang and cle["signature"] is None:
                rupture = rang
            elif rang:
                annonce = f"oi_service/cle/1\n{self.origine}\n{depuis}\n{cle['cle']}\n".encode()
                exiger(depuis > self.cles[-1][0] and signature_valide(
                    self.cles[-1][1], annonce, base64_exact(cle["signature"], 64)),
                    f"la clé n° {rang + 1} n’est pas annoncée par la précédente")
            self.cles.append((depuis, publique))
            longue = base64.b64encode(b"\x01" + publique).decode()
            noms.append((sha256(publique).hexdigest(), longue))
        connue = next((rang for rang, deux in enumerate(noms) if self.cle in deux), -1)
        exiger(self.cle is None or connue >= 0, "celle que vous connaissez n’y est pas")
        exiger(connue >= rupture or not rupture, f"la n° {rupture + 1}, {noms[rupture][0]}, "
               "remplace une clé perdue : demandez-en la raison, et confirmez-la (--cle)")
        return f"{len(noms)}, chacune annoncée par la précédente ; la dernière est {noms[-1][0]}"

    def lire_points(self) -> str:
        """Lit les points de l’archive, puis ceux que l’auditeur détient : qui les a signés ?"""
        noms = sorted(nom for nom in self.archive.tailles if re.fullmatch(r"points/.*\.txt", nom))
        textes = [(nom, self.archive.lire(nom).decode()) for nom in noms]
        textes += [(f"votre ancre {chemin}", Path(chemin).read_text("utf-8-sig").strip() + "\n")
                   for chemin in self.ancres]  # Telle qu’une messagerie a pu la rendre.
        for nom, ecrit in textes:
            point: Any = POINT.fullmatch(ecrit)
            exiger(point, f"{nom} n’est pas un point signé")
            signe, origine, chiffres, racine, sceau, signature = point.groups()
            exiger(origine == self.origine, f"{nom} vient d’un autre journal")
            taille, scelle = int(chiffres), base64_exact(signature, 68)
            if taille > self.taille and nom not in noms:  # Une archive arrêtée avant n’en dit rien.
                self.au_dela = max(self.au_dela, taille)
                continue
            fins = [depuis for depuis, _ in self.cles[1:]] + [taille]
            cles = [cle for (depuis, cle), fin in zip(self.cles, fins)
                    if depuis <= taille <= fin
                    and sha256(origine.encode() + b"\n\x01" + cle).digest()[:4] == scelle[:4]]
            exiger(cles, f"{nom} n’est pas signé d’une clé en service à cette taille")
            exiger(signature_valide(cles[0], signe.encode(), scelle[4:]),
                   f"la signature de {nom} est fausse")
            self.points.append((taille, nom, (base64_exact(racine, 32), sceau)))
            self.ancre = max(self.ancre, 0 if nom in noms else taille)
            jeton = nom[:-4] + ".tsr"
            if nom in noms and jeton in self.archive.tailles:
                exiger(sha256(ecrit.encode()).digest() in self.archive.lire(jeton),
                       f"{jeton} n’est pas l’horodatage de {nom}")
                self.dire("À NOTER", "Horodatage", "à vérifier par « openssl ts -verify -data "
                          f"{nom} -in {jeton} -CAfile autorite.pem »")
        exiger(self.arret in [point[:2] for point in self.points], "il manque celui de la fin")
        return (f"{len(self.points)}, bien signés, dont {len(self.points) - len(noms)} que vous "
                f"détenez ; l’archive s’arrête à celui de {self.taille} événements")

    def evenements(self) -> str:
        """Relit chaque événement : sa place, son sceau, et l’arbre qu’ils font."""
        bornes = {self.taille}.union(taille for taille, _, _ in self.points)
        preuves = iter(()) if self.complet else self.archive.lignes("preuves.jsonl")
        if not self.complet:
            self.etablis[self.taille] = {point[:2]: point[2] for point in self.points}[self.arret]
        n, lus, sceau, connu_le, schema = 0, 0, bytes(32), "", "0"
        versions, sommets = {}, []  # type: dict[str, int], list[bytes]
        for lus, brut in enumerate(self.archive.lignes("evenements.jsonl"), 1):
            if lus % 100_000 == 0:
                ecrire(f"…         {lus} événements relus, jusqu’ici sans anomalie")
            self.en_cause, precedent = f"la ligne {lus} de evenements.jsonl", n
            e, enregistrement, citees = lire_ligne(brut)
            n, self.en_cause = int(e["position"]), f"le n° {e['position']}, {e['name']}"
            preuve: Any = {"position": lus} if self.complet else json.loads(next(preuves, b"{}"))
            exiger(precedent < n == preuve["position"], f"on attendait le n° {precedent + 1}"
                   if self.complet else "il n’est pas à sa place, ou sa preuve n’y est pas")
            if not self.complet:
                avant, sceau = sceau, hexa(preuve["sceau_precedent"])
                exiger(n > precedent + 1 or avant == sceau, "il ne suit pas le précédent")
            calcule, sceau = sha256(sceau + enregistrement).digest(), bytes.fromhex(e["seal"])
            exiger(calcule == sceau, "le contenu scellé n’est plus celui de la ligne")
            saut = int(e["version"]) - versions.get(e["stream_id"], 0)
            exiger(saut == 1 or (saut > 1 and not self.complet), "sa version ne suit pas")
            exiger(e["enregistre_le"] >= connu_le, "il est enregistré avant le précédent")
            exiger(e["seal_scheme"] >= schema, "son schéma de sceau recule")
            exiger(n > 1 or e["event_id"] == self.origine[-36:], "il n’est pas l’origine")
            versions[e["stream_id"]] = int(e["version"])
            connu_le, schema = e["enregistre_le"], e["seal_scheme"]
            self.apres_coup = n if schema == "0" else self.apres_coup
            self.citees.update((empreinte, n) for empreinte in citees)
            self.dits.update((n, json.loads(e["data"])) for _ in re.findall("_tir|_fig", e["name"]))
            feuille, rang = sha256(b"\x00" + sceau).digest(), n - 1
            if not self.complet:
                chemin = [hexa(voisin) for voisin in preuve["inclusion"]]
                exiger(par_inclusion(feuille, rang, self.taille, chemin)
                       == self.etablis[self.taille][0], "le point signé ne le couvre pas")
                continue
            while rang & 1:
                feuille, rang = noeud(sommets.pop(), feuille), rang >> 1
            sommets.append(feuille)
            if n in bornes:
                racine = reduce(lambda bas, haut: noeud(haut, bas), reversed(sommets))
                self.etablis[n] = racine, e["seal"]
        self.en_cause = f"le n° {n + 1}, qui manque" if self.complet and n < self.taille else ""
        exiger(not self.en_cause, f"il n’y a rien après le n° {n}, il en faut {self.taille}")
        exiger(lus == self.manifeste["evenements"] and next(preuves, None) is None
               and n <= self.taille, "leur nombre n’est pas celui que dit l’archive")
        return f"{lus}, relus un à un ; chacun a le contenu et la place qui ont été scellés"

    def pieces(self) -> str:
        """Compare les pièces jointes à celles que les événements citent."""
        jointes = {nom[7:] for nom in self.archive.tailles if nom.startswith("pieces/")}
        citees, absentes = set(self.citees), set(self.manifeste["pieces_absentes"])
        alterees = set(self.manifeste.get("pieces_alterees", ()))
        exiger(jointes <= citees, f"rien ne cite {' ni '.join(sorted(jointes - citees)[:5])}")
        perdues = sorted(citees - jointes - absentes - alterees)[:5]
        exiger(not perdues, f"il manque {' et '.join(perdues)}")
        exiger(not alterees, f"le service dit altérée {' et '.join(sorted(alterees)[:5])}")
        for piece in sorted(citees & absentes)[:20]:
            self.dire("À NOTER", "Pièces", f"{piece} (n° {self.citees[piece]}) n’est pas jointe")
        return f"{len(jointes)} jointes, que citent des événements scellés"

    def ancrage(self) -> str:
        """Compare ce que les points ont signé à ce que font les événements."""
        signes = {taille: contenu for taille, _, contenu in reversed(self.points)}
        paliers = json.loads(self.archive.lire("coherence.json"))
        for palier in [*reversed(paliers), *paliers]:
            de, a, preuve = palier["de"], palier["a"], [hexa(h) for h in palier["preuve"]]
            exiger(par_coherence(signes[de][0], de, a, preuve) == (signes[de][0], signes[a][0]),
                   f"le point à {a} ne prolonge pas celui à {de}")
            for connu, autre in ((a, de), (de, a)):
                if self.etablis.get(connu) == signes[connu]:
                    self.etablis.setdefault(autre, signes[autre])
        for taille, nom, contenu in sorted(self.points):
            exiger(taille in self.etablis, f"l’archive ne relie pas {nom} à sa fin")
            if self.etablis[taille] != contenu:  # Une ancre n’est bornée que par une autre ancre.
                debut = 1 + max((t for t, n, c in self.points if n[:5] == nom[:5] and t < taille
                                 and self.etablis.get(t) == c), default=0)
                self.en_cause = f"entre le n° {debut} et le n° {taille}"
                raise Anomalie(f"l’archive ne contient pas ce que {nom} a signé")
        return f"les {len(self.points)} points ont signé ces événements-ci, et dans cet ordre"

    def echantillons(self) -> str:
        """Refait chaque tirage : est-ce, de la liste figée, celui qui a été scellé ?"""
        for nom in (noms := [n for n in sorted(self.archive.tailles) if n[:13] == "echantillons/"]):
            doc = json.loads(self.archive.lire(nom))
            lignes = [doc["colonnes"], *sorted(doc["population"])]
            csv = "".join(";".join(map(str, ligne)) + "\n" for ligne in lignes)
            vu = {**doc, "tirage": tirer(doc), "empreinte": sha256(csv.encode()).hexdigest(),
                  "population_nombre": len(lignes) - 1}
            faits = [self.dits.get(n, {}) for n in doc["evenements"].values() if n]
            faux = {c for fait in (doc, *faits) for c in fait if vu.get(c, fait[c]) != fait[c]}
            exiger({"empreinte", "population_nombre"} & set(faits[0]) and "tirage" in faits[-1]
                   and not faux, f"{nom} n’est pas ce qui a été scellé ({', '.join(sorted(faux))})")
        return f"{len(noms)} joints, refaits dépense par dépense depuis la liste et la graine"

    def conclure(self) -> int:
        """Fait tous les contrôles, puis dit ce qu’ils prouvent et ne prouvent pas."""
        for sujet, controle in (("Fichiers", self.fichiers), ("Clés", self.trousseau),
                                ("Points", self.lire_points), ("Événements", self.evenements),
                                ("Pièces", self.pieces), ("Tirages", self.echantillons),
                                ("Ancrage", self.ancrage)):
            if not self.en_cause:  # Passé le premier événement en cause, rien ne se compare.
                self.controler(sujet, controle)
        autres = sorted({nom.split("/")[0] for nom in self.archive.tailles}.difference(
            JOURNAUX, ("manifeste.json", "pieces", "points", "echantillons")))
        reserves = (
            (True, "que les faits inscrits étaient vrais ; seulement qu’ils n’ont pas changé"),
            (self.ancre < self.taille, "que rien n’a été réécrit, à partir du n° "
             f"{self.ancre + 1}, par quelqu’un qui a la main sur tout, clé comprise : aucune ancre "
             "que vous déteniez d’ailleurs (--ancre) ne le couvre"),
            (self.au_dela, f"que la fin du journal, jusqu’au n° {self.au_dela} de votre ancre, n’a "
             "pas été coupée : l’archive s’arrête avant ; exigez-en une qui y aille"),
            (self.cle is None, "que la clé est celle du service : comparez son empreinte (--cle)"),
            (not self.complet, "que l’archive dit tout : le journal a d’autres événements"),
            (self.apres_coup, f"que rien n’a changé avant le sceau, jusqu’au n° {self.apres_coup}"),
            (autres, f"ce que disent {', '.join(autres)} : seul le manifeste les couvre"))
        for ligne in (
                "", f"VERDICT : l’archive est intacte, jusqu’au n° {self.taille} du journal."
                if not self.echecs else f"VERDICT : ANOMALIE. Contrôles en échec : {self.echecs}. "
                f"Premier événement en cause : {self.en_cause or 'aucun'}.",
                "", "Ce que cela ne prouve pas :",
                *(f"  - {reserve}." for vaut, reserve in reserves if vaut),
                "", "À confirmer par qui vous a remis l’archive, sur un autre canal :",
                f"  empreinte du manifeste : {self.archive.empreinte('manifeste.json')}"):
            ecrire(ligne)
        return int(self.echecs > 0)

def principal() -> int:
    """Lit la ligne de commande et vérifie l’archive désignée, sinon celle d’ici."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # Console sans accents.
    lecteur = argparse.ArgumentParser(description="Vérifie une archive du journal.")
    lecteur.add_argument("archive", nargs="?", help="dossier ou zip ; par défaut, celui d’ici")
    lecteur.add_argument("--ancre", action="append", default=[], metavar="FICHIER",
                         help="un point signé que vous détenez d’ailleurs (autant qu’il y en a)")
    lecteur.add_argument("--cle", metavar="EMPREINTE", help="empreinte de la clé publique")
    options = lecteur.parse_args()
    ici = Path(__file__).resolve().parent
    ici = ici if (ici / "manifeste.json").exists() else Path()
    try:
        cle = options.cle and options.cle.split("+", 2)[-1]  # Sinon « journal+identifiant+clé ».
        verification = Verification(Archive(Path(options.archive or ici)), options.ancre, cle)
    except Exception as erreur:
        ecrire(f"Ce n’est pas une archive : {erreur}.")
        return 2
    ecrire(f"Archive : {verification.archive.chemin.resolve()}")
    return verification.conclure()

if __name__ == "__main__":
    code = principal()
    if os.name == "nt" and len(sys.argv) == 1 and "PROMPT" not in os.environ:
        input("\nAppuyez sur Entrée pour fermer.")  # Un double-clic : la fenêtre se fermerait.
    sys.exit(code)
