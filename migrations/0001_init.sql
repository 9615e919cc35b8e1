-- Torrents, what is chosen of them, what is had of them, and the settings. Times are milliseconds since the epoch,
-- sizes bytes, speeds bytes per second. The CHECKs also let quick_check see damage inside a row.

CREATE TABLE torrents (
  id                 TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 40 AND id NOT GLOB '*[^0-9a-f]*'),
  name               TEXT    NOT NULL,
  is_renamed         INTEGER NOT NULL DEFAULT 0 CHECK (is_renamed IN (0, 1)),
  magnet_uri         TEXT,
  trackers           TEXT    NOT NULL CHECK (json_valid(trackers)),
  save_path          TEXT    NOT NULL,
  -- The next five are unknown (NULL, 0) until the metadata is there.
  torrent_name       TEXT,
  disk_name          TEXT,
  is_multi_file      INTEGER NOT NULL DEFAULT 0 CHECK (is_multi_file IN (0, 1)),
  is_private         INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
  total_size         INTEGER CHECK (total_size >= 0),
  status             TEXT    NOT NULL CHECK (status IN
    ('metadata', 'queued', 'checking', 'downloading', 'seeding', 'completed', 'paused', 'error')),
  fault              TEXT,
  fault_detail       TEXT,
  is_paused          INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
  priority           TEXT    NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
  download           TEXT    NOT NULL DEFAULT 'all' CHECK (download IN ('all', 'watched')),
  max_download_speed INTEGER NOT NULL DEFAULT 0 CHECK (max_download_speed >= 0),
  max_upload_speed   INTEGER NOT NULL DEFAULT 0 CHECK (max_upload_speed >= 0),
  progress           REAL    NOT NULL DEFAULT 0,
  downloaded         INTEGER NOT NULL DEFAULT 0 CHECK (downloaded >= 0),
  uploaded           INTEGER NOT NULL DEFAULT 0 CHECK (uploaded >= 0),
  added_at           INTEGER NOT NULL,
  completed_at       INTEGER,
  -- Set while a removal runs, so that one cut short by a crash is finished at the next start.
  removal            TEXT CHECK (removal IN ('list', 'files'))
) STRICT, WITHOUT ROWID;

-- Pad files (BEP 47) have no row.
CREATE TABLE torrent_files (
  torrent_id     TEXT    NOT NULL REFERENCES torrents (id) ON DELETE CASCADE,
  file_index     INTEGER NOT NULL CHECK (file_index >= 0),
  path           TEXT    NOT NULL,
  size           INTEGER NOT NULL CHECK (size >= 0),
  is_selected    INTEGER NOT NULL CHECK (is_selected IN (0, 1)),
  is_video       INTEGER NOT NULL CHECK (is_video IN (0, 1)),
  priority       TEXT    NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
  verified_bytes INTEGER NOT NULL DEFAULT 0 CHECK (verified_bytes >= 0),
  PRIMARY KEY (torrent_id, file_index)
) STRICT, WITHOUT ROWID;

-- The raw info dictionary; a magnet that still waits for its metadata has no row.
CREATE TABLE metadata (
  torrent_id TEXT NOT NULL PRIMARY KEY REFERENCES torrents (id) ON DELETE CASCADE,
  info_bytes BLOB NOT NULL
) STRICT;

-- What of a torrent is verified on disk. Encodings: src/db/resume-codec.ts.
CREATE TABLE resume (
  torrent_id TEXT    NOT NULL PRIMARY KEY REFERENCES torrents (id) ON DELETE CASCADE,
  verified   BLOB    NOT NULL,
  unsure     BLOB    NOT NULL,
  stamps     BLOB    NOT NULL,
  is_clean   INTEGER NOT NULL CHECK (is_clean IN (0, 1)),
  -- Of the three blobs: a bit that turns in them on disk must not count as a verified piece.
  checksum   INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

-- What the server remembers for itself (DHT nodes …), never set by a user.
CREATE TABLE state (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
