// What a file that is not complete goes out as in mode "auto" (PRODUCT §3.4). A Range header decides nothing: browsers
// and players send it alike.

import { acceptsPlaylist } from "./accept.ts";
import { readsContainers } from "./players.ts";

export function deliveryOf(userAgent: string | null, accept: string | null): "direct" | "hls" {
  return readsContainers(userAgent) || !acceptsPlaylist(accept) ? "direct" : "hls";
}
