"""Small real files of every format that is accepted as a document."""

import io
import zipfile

ODF = "application/vnd.oasis.opendocument"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def archive(parts: dict[str, str]) -> bytes:
    """Return a ZIP; its parts are kept as they are, the first one first."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name, text in parts.items():
            target.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


def ooxml(folder: str) -> bytes:
    return archive({"[Content_Types].xml": "<Types/>", f"{folder}/document.xml": "<a/>"})


#: A file of each format, under a name that it may bear.
EXEMPLES = {
    "Facture n° 12.pdf": PDF,
    "scan.PDF": b"\r\n" + PDF,
    "capture.png": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(20),
    "photo.jpeg": b"\xff\xd8\xff\xe1" + bytes(20),
    "fax.tif": b"II*\0" + bytes(20),
    "fax.tiff": b"MM\0*" + bytes(20),
    "bilan.xlsx": ooxml("xl"),
    "lettre.docx": ooxml("word"),
    "bilan.ods": archive({"mimetype": f"{ODF}.spreadsheet", "content.xml": "<a/>"}),
    "lettre.odt": archive({"mimetype": f"{ODF}.text", "content.xml": "<a/>"}),
    "facture.xml": b'\xef\xbb\xbf<?xml version="1.0"?><facture/>',
    "utf16.xml": '<?xml version="1.0"?><é/>'.encode("utf-16"),
    "courriel.eml": b"Received: from a\r\n by b\r\nFrom: c@exemple.test\r\n\r\nBonjour\r\n",
    "note.txt": "Réunion du 3 mai : présents, excusés.".encode(),
    "ancien.txt": "Réunion à l’Élysée".encode("cp1252"),
    "grand_livre.csv": "compte;libellé;montant\r\n641;Salaires;1 234,56\r\n".encode(),
}
