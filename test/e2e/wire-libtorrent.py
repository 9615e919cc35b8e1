"""A real libtorrent as the other side of wire's tests and bench; speaks JSON lines on stdout, ends with its stdin.

seed <directory> <MiB>                     makes <directory>/data.bin and data.torrent if missing, and seeds them
leech <torrent> <directory> <port>         fetches from 127.0.0.1:<port>, tells when it is done
"""

import hashlib
import json
import os
import sys
import threading
import time

import libtorrent as lt


def say(**fields):
    print(json.dumps(fields), flush=True)


def open_session():
    return lt.session({
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "allow_multiple_connections_per_ip": True,
        "alert_mask": 0,
    })


def make(directory, mebibytes):
    data = os.path.join(directory, "data.bin")
    torrent = os.path.join(directory, "data.torrent")
    if os.path.exists(torrent):
        return torrent
    digest = hashlib.sha256()
    with open(data, "wb") as out:
        for _ in range(mebibytes):
            block = os.urandom(1 << 20)
            digest.update(block)
            out.write(block)
    files = lt.file_storage()
    lt.add_files(files, data)
    creator = lt.create_torrent(files, 1 << 20, flags=lt.create_torrent.v1_only)
    lt.set_piece_hashes(creator, directory)
    with open(torrent, "wb") as out:
        out.write(lt.bencode(creator.generate()))
    with open(os.path.join(directory, "data.sha256"), "w") as out:
        out.write(digest.hexdigest())
    return torrent


def add(session, torrent, directory, flags):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = directory
    params.flags = flags
    return session.add_torrent(params)


def seed(directory, mebibytes):
    torrent = make(directory, int(mebibytes))
    session = open_session()
    handle = add(session, torrent, directory, lt.torrent_flags.seed_mode | lt.torrent_flags.upload_mode)
    while not handle.status().is_seeding:
        time.sleep(0.02)
    say(port=session.listen_port(), torrent=torrent)
    return session, handle


def leech(torrent, directory, port):
    session = open_session()
    handle = add(session, torrent, directory, lt.torrent_flags.default_flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused)
    while handle.status().state not in (lt.torrent_status.downloading, lt.torrent_status.seeding):
        time.sleep(0.02)
    started = time.time()
    handle.connect_peer(("127.0.0.1", int(port)))
    while not handle.status().is_seeding:
        time.sleep(0.02)
    say(done=True, seconds=time.time() - started)
    return session, handle


def main():
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()

    def run():
        kept.append({"seed": seed, "leech": leech}[sys.argv[1]](*sys.argv[2:]))

    kept = []
    threading.Thread(target=run, daemon=True).start()
    stop.wait()
    os._exit(0)


main()
