#!/usr/bin/python3
"""A libtorrent peer for tests: one torrent, and one session for each address of the job (many seeders in one process);
commands and reports are for the first. The job is one JSON line on stdin, more lines are commands;
events go to stdout as JSON lines. Ends on end-of-file, so that it cannot outlive the test that started it."""

import json
import select
import sys
import time

import libtorrent as lt


def emit(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def session_settings(job, host):
    settings = {
        "listen_interfaces": f"{host}:{job.get('port', 0)}",
        "outgoing_interfaces": host,
        "enable_dht": job.get("dht", False),
        "enable_lsd": job.get("lsd", False),
        "enable_upnp": job.get("upnp", False),
        "enable_natpmp": job.get("upnp", False),
        "enable_incoming_utp": job.get("utp", False),
        "enable_outgoing_utp": job.get("utp", False),
        "dht_bootstrap_nodes": job.get("dht_bootstrap", ""),
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "allow_multiple_connections_per_ip": True,
        "connection_speed": 200,
        "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    }
    if len(job["hosts"]) > 1:
        settings.update({"aio_threads": 1, "hashing_threads": 1})
    settings.update(job.get("settings", {}))
    return settings


def start(job, host):
    session = lt.session(session_settings(job, host))
    deadline = time.monotonic() + 10
    while session.listen_port() == 0 and time.monotonic() < deadline:
        # Not wait_for_alert: it hands out a pointer into a queue that grows meanwhile, and crashes now and then.
        time.sleep(0.01)
    handle = session.add_torrent(torrent_params(job))
    for peer in job.get("peers", []):
        connect(handle, peer)
    emit("listening", host=host, port=session.listen_port())
    return session, handle


def torrent_params(job):
    if "magnet" in job:
        params = lt.parse_magnet_uri(job["magnet"])
    else:
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(job["torrent"])
    params.save_path = job["save_path"]
    flags = lt.torrent_flags.update_subscribe
    if job.get("seed") == "lie":
        # Says it has everything and serves whatever lies on the disk, unchecked.
        params.have_pieces = [True] * params.ti.num_pieces()
        flags |= lt.torrent_flags.no_verify_files
    elif job.get("seed"):
        flags |= lt.torrent_flags.seed_mode
    if job.get("sequential"):
        flags |= lt.torrent_flags.sequential_download
    for name in ("pex", "dht", "lsd"):
        if not job.get(name, False):
            flags |= getattr(lt.torrent_flags, f"disable_{name}")
    params.flags = flags
    # Limits of the session do not count for peers on private addresses; those of the torrent do.
    params.upload_limit = job.get("upload_limit", -1) or -1
    params.download_limit = job.get("download_limit", -1) or -1
    return params


def connect(handle, peer):
    handle.connect_peer((peer["host"], peer["port"]))


def command(handle, line):
    order = json.loads(line)
    name = order["command"]
    if name == "connect":
        connect(handle, order)
    elif name == "upload_limit":
        handle.set_upload_limit(order["bytes_per_sec"] or -1)
    elif name == "download_limit":
        handle.set_download_limit(order["bytes_per_sec"] or -1)
    elif name == "pause":
        handle.pause()
    elif name == "resume":
        handle.resume()
    elif name == "reannounce":
        handle.force_reannounce()
    elif name == "peers":
        emit("peers", peers=[f"{p.ip[0]}:{p.ip[1]} {p.client.decode('utf-8', 'replace')}" for p in handle.get_peer_info()])
    else:
        emit("error", message=f"unknown command {name}")


def report(handle):
    status = handle.status()
    emit(
        "state",
        state=str(status.state),
        progress=status.progress,
        pieces=status.num_pieces,
        is_complete=status.is_seeding,
        has_metadata=status.has_metadata,
        downloaded=status.total_payload_download,
        uploaded=status.total_payload_upload,
        download_rate=status.download_payload_rate,
        upload_rate=status.upload_payload_rate,
        peers=status.num_peers,
    )


def main():
    job = json.loads(sys.stdin.readline())
    started = [start(job, host) for host in job["hosts"]]
    session, handle = started[0]
    report_every_sec = job["report_every_ms"] / 1000
    next_report = 0.0
    while True:
        now = time.monotonic()
        if now >= next_report:
            report(handle)
            next_report = now + report_every_sec
        ready, _, _ = select.select([sys.stdin], [], [], report_every_sec / 2)
        if ready:
            line = sys.stdin.readline()
            if line == "":
                return
            command(handle, line)
        for alert in session.pop_alerts():
            if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert, lt.listen_failed_alert)):
                emit("error", message=alert.message())


main()
