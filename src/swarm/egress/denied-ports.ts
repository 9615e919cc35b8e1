// Ports of well-known services that are no BitTorrent peers and no web servers. Hostile peer lists and URLs name
// them to make us knock at other people's mail, name or database servers.

const DENIED_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 19, 22, 23, 25, 53, 69, 110, 111, 123, 135, 137, 138, 139, 143, 161, 389, 445, 465, 514, 587,
  636, 993, 995, 1433, 1521, 2049, 3306, 3389, 5060, 5432, 5900, 6379, 11211, 27017,
]);

/** True for ports that are out of range or on the list. */
export function isDeniedPort(port: number): boolean {
  return !Number.isInteger(port) || port < 1 || port > 65535 || DENIED_PORTS.has(port);
}
