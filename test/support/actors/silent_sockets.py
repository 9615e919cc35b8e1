#!/usr/bin/python3
"""Listens on `count` ports of an address whose backlogs are full and never emptied: whoever connects there hangs.
Prints the ports as one JSON line and ends on end-of-file."""

import json
import socket
import sys

host, count = sys.argv[1], int(sys.argv[2])
kept = []
ports = []
for _ in range(count):
    server = socket.socket()
    server.bind((host, 0))
    server.listen(0)
    ports.append(server.getsockname()[1])
    kept.append(server)
    for _ in range(2):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(server.getsockname())
        kept.append(client)
print(json.dumps(ports), flush=True)
sys.stdin.read()
