"""Makes torrents with libtorrent and tells, as JSON on stdout, each file and what libtorrent itself reads in it."""

import base64
import json
import os
import sys
import warnings

import libtorrent as lt

warnings.simplefilter("ignore")
root = sys.argv[1]
top = os.path.join(root, "Шоу & friends")
os.makedirs(os.path.join(top, "Season 1"))
for name, size in [("Season 1/e1.mkv", 100_003), ("Season 1/e2.mkv", 70_000), ("empty.txt", 0), ("poster.jpg", 17)]:
    with open(os.path.join(top, name), "wb") as file:
        file.write(os.urandom(size))
os.symlink("poster.jpg", os.path.join(top, "cover.jpg"))
single = os.path.join(root, "film.mkv")
with open(single, "wb") as file:
    file.write(os.urandom(300_000))

KINDS = {
    "v1": lt.create_torrent.v1_only,
    "v1 with pads": lt.create_torrent.v1_only | lt.create_torrent.canonical_files,
    "v1 with symlinks": lt.create_torrent.v1_only | lt.create_torrent.symlinks,
    "hybrid": 0,
    "v2 only": lt.create_torrent.v2_only,
}


def make(path, flags, piece_size, private):
    storage = lt.file_storage()
    lt.add_files(storage, path, lambda _: True, flags)
    torrent = lt.create_torrent(storage, piece_size, flags)
    torrent.add_tracker("http://one.example/announce?passkey=abc", 0)
    torrent.add_tracker("udp://two.example:6969/announce", 1)
    torrent.set_priv(private)
    lt.set_piece_hashes(torrent, os.path.dirname(path))
    return lt.bencode(torrent.generate())


def read(data):
    info = lt.torrent_info(lt.bdecode(data))
    files = info.files()
    return {
        "hash": str(info.info_hashes().v1),
        "hasV1": info.info_hashes().has_v1(),
        "name": info.name(),
        "pieceLength": info.piece_length(),
        "pieceCount": info.num_pieces(),
        "total": info.total_size(),
        "isPrivate": info.priv(),
        "files": [
            {
                "path": files.file_path(i),
                "size": files.file_size(i),
                "offset": files.file_offset(i),
                "isPad": bool(files.file_flags(i) & lt.file_flags_t.flag_pad_file),
                "isSymlink": bool(files.file_flags(i) & lt.file_flags_t.flag_symlink),
            }
            for i in range(files.num_files())
        ],
    }


out = []
for kind, flags in KINDS.items():
    for path, piece_size, private in [(top, 16 * 1024, False), (single, 32 * 1024, True)]:
        data = make(path, flags, piece_size, private)
        out.append({"kind": kind, "torrent": base64.b64encode(data).decode(), "read": read(data)})
print(json.dumps(out))
