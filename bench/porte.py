"""The library behind the same web frame: one route, one bare save, nothing checked."""

from uuid import UUID

from fastapi import FastAPI, Response
from pydantic import BaseModel

from bench.bibliotheque import Pieces, new_piece


class Asked(BaseModel):
    """About what a dépense says."""

    date_effet: str
    detail: dict[str, str]


app = FastAPI()
_pieces = Pieces()  # Its environment is the process's own.


@app.post("/api/v1/operations/{operation_id}/depenses", status_code=201)
def declare(operation_id: UUID, asked: Asked) -> Response:
    """Save a new aggregate."""
    _pieces.save(new_piece(operation_id, len(asked.detail)))
    return Response(status_code=201)
