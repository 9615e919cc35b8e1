"""A real libtorrent DHT node, driven by JSON lines on stdin; answers are JSON lines on stdout."""

import json
import sys
import threading
import time

import libtorrent as lt

host = sys.argv[1]
session = lt.session({
    "listen_interfaces": f"{host}:0",
    "enable_dht": True,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "dht_bootstrap_nodes": "",
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False,
    "dht_enforce_node_id": False,
    "dht_prefer_verified_node_ids": False,
    "dht_privacy_lookups": False,
    # All of the test's questions come from few addresses; without this they are blocked as a flood.
    "dht_block_ratelimit": 100000,
    "dht_upload_rate_limit": 10000000,
    "alert_mask": 0x7FFFFFFF,
})
lock = threading.Lock()
torrents = {}


def say(**fields):
    with lock:
        print(json.dumps(fields), flush=True)


def pump():
    while True:
        # Not wait_for_alert: it hands out a pointer into a queue that grows meanwhile, and crashes now and then.
        time.sleep(0.02)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.dht_get_peers_reply_alert):
                say(event="peers", hash=str(alert.info_hash), peers=[[ip, port] for ip, port in alert.peers()])
            elif isinstance(alert, lt.dht_announce_alert):
                say(event="announced_to_us", hash=str(alert.info_hash), ip=str(alert.ip), port=alert.port)


threading.Thread(target=pump, daemon=True).start()
while session.listen_port() == 0:
    time.sleep(0.01)
say(event="ready", port=session.listen_port())

for line in sys.stdin:
    command = json.loads(line)
    name = command["do"]
    if name == "add_node":
        session.add_dht_node((command["host"], command["port"]))
    elif name == "announce":
        params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + command["hash"])
        params.save_path = "/nonexistent"
        params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
        if command["hash"] not in torrents:
            torrents[command["hash"]] = session.add_torrent(params)
        torrents[command["hash"]].force_dht_announce()
    elif name == "get_peers":
        session.dht_get_peers(lt.sha1_hash(bytes.fromhex(command["hash"])))
    elif name == "stop":
        break
