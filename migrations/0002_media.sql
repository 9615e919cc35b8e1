-- What was found out about the media files of torrents: where their key frames are, and what ffprobe says of them. It
-- never changes for one info hash and file; `reader` is the version of the code that found it out, and what an older one
-- wrote is found out anew.

CREATE TABLE media_index (
  torrent_id TEXT    NOT NULL REFERENCES torrents (id) ON DELETE CASCADE,
  file_index INTEGER NOT NULL CHECK (file_index >= 0),
  reader     INTEGER NOT NULL,
  facts      TEXT    NOT NULL CHECK (json_valid(facts)),
  -- Little-endian float64: all times in seconds, then all positions in bytes. NULL where there is no usable index.
  keyframes  BLOB,
  PRIMARY KEY (torrent_id, file_index)
) STRICT;

CREATE TABLE media_probe (
  torrent_id TEXT    NOT NULL REFERENCES torrents (id) ON DELETE CASCADE,
  file_index INTEGER NOT NULL CHECK (file_index >= 0),
  reader     INTEGER NOT NULL,
  facts      TEXT    NOT NULL CHECK (json_valid(facts)),
  PRIMARY KEY (torrent_id, file_index)
) STRICT;
