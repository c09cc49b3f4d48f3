"""A bucket that can be out of reach, and films for it."""

from momalisa.errors import StorageError
from momalisa.storage import FILMS_FOLDER, LocalStorage, StoredFile, film_key
from momalisa.storage.outbox import File


class UnreliableBucket(LocalStorage):
    """A folder that can be out of reach, or refuse one walk."""

    away = False
    refused = ""
    """Part of the keys that `put` refuses."""

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        if self.away or (self.refused and self.refused in key):
            raise StorageError("The bucket is away.")
        return super().put(key, data, content_type)

    def delete(self, key: str) -> None:
        if self.away:
            raise StorageError("The bucket is away.")
        super().delete(key)


def film_files(walk_id: str = "w1", name: str = "film.gif") -> list[File]:
    """The files of a film, its record last."""
    names = {"poster.webp": b"poster", name: name.encode(), "walk.json": f"{name}'s".encode()}
    return [File(film_key(walk_id, name), data) for name, data in names.items()]


def stored_bytes(storage: LocalStorage) -> dict[str, bytes]:
    """Content of all films' files, by key."""
    return {file.key: storage.get(file.key) for file in storage.list(f"{FILMS_FOLDER}/")}
