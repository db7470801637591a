"""Why a whole file is refused, before or instead of its rows. Nothing of it is kept."""

from oi_service.errors import RuleBroken


class FichierRefuse(RuleBroken):
    """Ce fichier ne peut pas être lu."""


class FichierVide(FichierRefuse):
    """Le fichier est vide : enregistrez de nouveau le classeur, puis déposez-le."""


class FichierTropLourd(FichierRefuse):
    """Le fichier pèse {mo} Mo, {maximum} Mo sont acceptés au plus : retirez les images et les
    feuilles inutiles, ou partagez-le en plusieurs fichiers.
    """


class FormatInconnu(FichierRefuse):
    """Ce fichier n’est ni un classeur .xlsx, ni un classeur .ods, ni un fichier .csv : ouvrez-le
    dans un tableur et enregistrez-le au format .xlsx.
    """


class AncienFormatExcel(FichierRefuse):
    """Ce classeur est à l’ancien format .xls : dans Excel, « Enregistrer sous », choisissez
    « Classeur Excel (.xlsx) », puis déposez le nouveau fichier.
    """


class ClasseurBinaire(FichierRefuse):
    """Ce classeur est au format binaire .xlsb : dans Excel, « Enregistrer sous », choisissez
    « Classeur Excel (.xlsx) », puis déposez le nouveau fichier.
    """


class MacrosRefusees(FichierRefuse):
    """Ce classeur contient des macros : enregistrez-le au format « Classeur Excel (.xlsx) », qui
    n’en garde pas, puis déposez le nouveau fichier.
    """


class FichierProtege(FichierRefuse):
    """Ce classeur est protégé par un mot de passe : retirez la protection à l’ouverture, puis
    déposez-le.
    """


class FichierAbime(FichierRefuse):
    """Le fichier est incomplet ou abîmé : ouvrez-le dans un tableur, enregistrez-le sous un autre
    nom, puis déposez-le.
    """


class ArchivePiegee(FichierRefuse):
    """Le contenu du fichier est démesuré une fois décompressé : copiez les seules lignes utiles
    dans un modèle neuf, puis déposez-le.
    """


class XmlPiege(FichierRefuse):
    """Le fichier déclare des entités XML, ce qu’aucun tableur n’écrit : copiez les lignes dans un
    modèle neuf, puis déposez-le.
    """


class TropDeFeuilles(FichierRefuse):
    """Le classeur compte {nombre} feuilles, {maximum} sont acceptées au plus : retirez les feuilles
    inutiles.
    """


class TropDeLignes(FichierRefuse):
    """La feuille « {feuille} » est remplie jusqu’à la ligne {ligne}, {maximum} lignes sont
    acceptées au plus sous les titres : partagez le fichier, ou supprimez ce qui est écrit sous le
    tableau.
    """


class TropDeColonnes(FichierRefuse):
    """La feuille « {feuille} » est remplie jusqu’à la colonne {colonne}, {maximum} colonnes sont
    acceptées au plus : supprimez ce qui est écrit à droite du tableau.
    """


class CsvIllisible(FichierRefuse):
    """Le fichier .csv ne se lit plus à partir de la ligne {ligne} : un guillemet n’est pas refermé.
    Enregistrez-le de nouveau depuis le tableur.
    """


class EncodageInconnu(FichierRefuse):
    """Les caractères de ce fichier ne se lisent ni en UTF-8, ni en Windows-1252 : enregistrez-le de
    nouveau au format « CSV UTF-8 ».
    """


class ModeleInconnu(FichierRefuse):
    """Les titres du fichier ne sont pas ceux du modèle « {modele} » : téléchargez le modèle depuis
    l’application et recopiez-y les lignes.
    """


class AutreModele(FichierRefuse):
    """Ce classeur est le modèle « {recu} », le modèle « {attendu} » est attendu : déposez-le à sa
    place, ou téléchargez le bon modèle.
    """


class VersionDuModeleInconnue(FichierRefuse):
    """Ce classeur est la version {version} du modèle « {modele} », que l’application ne connaît
    pas : elle lit la version {connues}. Téléchargez le modèle de nouveau.
    """


class AutreOperation(FichierRefuse):
    """Ce classeur est celui de l’opération {recue}, pas de l’opération {attendue} : déposez-le sur
    son opération, ou recopiez les lignes dans le bon modèle.
    """


class OperationDuClasseurInconnue(FichierRefuse):
    """Ce classeur est celui de l’opération {recue}, que vous ne voyez pas : vérifiez le numéro,
    ou demandez l’accès.
    """


class ColonnesAbsentes(FichierRefuse):
    """Il manque à la feuille « {feuille} » : {titres}. Rétablissez ces titres sur la ligne
    {ligne}, ou repartez du modèle.
    """


class TitreEnDouble(FichierRefuse):
    """Le titre « {titre} » figure deux fois sur la feuille « {feuille} », colonnes {premiere} et
    {seconde} : gardez-en un.
    """


class FeuilleMasquee(FichierRefuse):
    """La feuille « {feuille} » est masquée : affichez-la, vérifiez ses lignes, puis déposez de
    nouveau le classeur.
    """


class AucuneLigne(FichierRefuse):
    """Aucune ligne n’est remplie sous les titres : remplissez le modèle, puis déposez-le."""
