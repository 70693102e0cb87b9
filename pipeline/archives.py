"""Opens the archive that the settings mean."""

from __future__ import annotations

from pipeline.archive import Archive, ArchiveSettings


def open_archive(settings: ArchiveSettings, connections: int = 4) -> Archive:
    """Return the archive; nothing is looked at before it is used. Raises SettingsError where S3 cannot be asked at all."""
    if settings.folder is not None:
        from pipeline.archive_folder import FolderArchive  # noqa: PLC0415  # only one of the two is needed

        return FolderArchive(settings.folder)
    from pipeline.archive_s3 import S3Archive  # noqa: PLC0415  # only one of the two is needed

    return S3Archive(settings, connections)
