"""The tables of the index, in SQLite's dialect. Only the modules of the index (see ``storage.index``) read this one."""

from __future__ import annotations

SCHEMA_VERSION = 3
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('change', 0);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    place TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,
    cid TEXT NOT NULL,
    counter INTEGER NOT NULL DEFAULT 0,
    kept_from INTEGER NOT NULL DEFAULT 0,
    inode INTEGER NOT NULL,
    stamp_ns INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    owner TEXT,
    ruled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX folder_parent ON folder (parent);
CREATE INDEX folder_marked ON folder (place) WHERE owner IS NOT NULL OR ruled;
CREATE TABLE member (
    id INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    disk_name TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    uid TEXT,
    component TEXT,
    plain INTEGER NOT NULL,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX member_id ON member (id);
CREATE INDEX member_uid ON member (folder, uid) WHERE uid IS NOT NULL;
-- What hangs on a member's id is garbage once no member has that id: a new version has a new one. It is swept later.
CREATE TABLE content (
    member INTEGER PRIMARY KEY,
    head INTEGER NOT NULL,
    zones INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE span (
    folder INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    member INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    busy INTEGER NOT NULL,
    PRIMARY KEY (folder, kind, start_s, member, end_s)
) WITHOUT ROWID;
CREATE TABLE value (
    folder INTEGER NOT NULL,
    property TEXT NOT NULL,
    member INTEGER NOT NULL,
    number INTEGER NOT NULL,
    value TEXT NOT NULL,
    folded TEXT,
    PRIMARY KEY (folder, property, member, number)
) WITHOUT ROWID;
CREATE TABLE change (
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    veiled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE INDEX change_n ON change (folder, n);
CREATE TABLE lock (
    token TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    infinite INTEGER NOT NULL,
    exclusive INTEGER NOT NULL,
    owner TEXT NOT NULL,
    principal TEXT NOT NULL,
    timeout_s INTEGER NOT NULL,
    expires_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX lock_path ON lock (path);
"""
FOLDER_COLUMNS = "id, place, cid, counter, kept_from, inode, stamp_ns, modified_ns, created_ns, owner, ruled"
MEMBER_COLUMNS = "id, name, disk_name, etag, size, inode, modified_ns, changed_ns, created_ns, uid, component, plain"
LOCK_COLUMNS = "token, path, infinite, exclusive, owner, principal, timeout_s, expires_s"


def below(place: str) -> tuple[str, str]:
    """The half-open range of texts that begin with ``place/``; ``0`` is the character after ``/``."""
    return place + "/", place + "0"
