"""A real disk for simulated nodes: real files, real cipher, real write-ahead log, and a crash that leaves the log."""

from pathlib import Path

import apsw

from p2pchat.store.disk import SystemDisk

_KEPT_BY_THE_KERNEL = "-shm"  # the log's index in shared memory: rebuilt by the next life


class CrashDisk(SystemDisk):
    """``SystemDisk`` in one folder, with ``crash``, ``thaw``, ``copy`` and ``put_back`` as ``SimDisk`` has them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.frozen = False
        self._open: list[apsw.Connection] = []

    def open_db(self, path: Path, key: bytes) -> apsw.Connection:
        self._check()
        self._open.append(super().open_db(path, key))
        return self._open[-1]

    def reader(self, db: apsw.Connection) -> apsw.Connection:
        self._check()
        self._open.append(super().reader(db))
        return self._open[-1]

    def read(self, path: Path, limit: int) -> bytes:
        self._check()
        return super().read(path, limit)

    def replace(self, path: Path, data: bytes) -> None:
        self._check()
        super().replace(path, data)

    def crash(self) -> None:
        """Closing a database would tidy its log up, so the files are put back as they were before."""
        if not self.frozen:
            self.frozen = True
            files = self._files()
            self._close()
            self._write(files)

    def thaw(self) -> None:
        self.frozen = False

    def copy(self) -> dict[Path, bytes]:
        return self._files()

    def put_back(self, copy: dict[Path, bytes]) -> None:
        self._close()
        self._write(copy)

    def close(self) -> None:
        self.crash()

    def _check(self) -> None:
        if self.frozen:
            raise OSError("the simulated disk is frozen: its node has crashed")

    def _close(self) -> None:
        for db in self._open:
            db.close(True)
        self._open.clear()

    def _files(self) -> dict[Path, bytes]:
        found = sorted(self.folder.iterdir())
        return {path: path.read_bytes() for path in found if not path.name.endswith(_KEPT_BY_THE_KERNEL)}

    def _write(self, files: dict[Path, bytes]) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        for path, data in files.items():
            path.write_bytes(data)
