// What can be seen of a torrent's inside: peers, trackers, pieces.

import { Elysia } from "elysia";
import { peerDto, trackerDto } from "../dto/torrent.ts";
import { torrentParams } from "../schemas.ts";
import type { RouteServices } from "../services.ts";
import { idOf } from "./torrents.ts";

export function swarmRoutes({ torrents }: RouteServices) {
  const options = (summary: string) => ({ params: torrentParams, detail: { summary } });
  return new Elysia({ normalize: false, detail: { tags: ["torrents"] } })
    .get(
      "/api/torrents/:id/peers",
      async ({ params }) => ({ items: (await torrents.peers(idOf(params.id))).map(peerDto) }),
      options("Connected peers"),
    )
    .get(
      "/api/torrents/:id/trackers",
      async ({ params }) => ({ items: (await torrents.trackers(idOf(params.id))).map(trackerDto) }),
      options("Trackers and how they answer"),
    )
    .get(
      "/api/torrents/:id/pieces",
      async ({ params }) => {
        const { count, lengthBytes, have } = await torrents.pieces(idOf(params.id));
        return { count, length: lengthBytes, have: Buffer.from(have).toString("base64") };
      },
      options("Which pieces are there: a bit each, in base64, first piece in the highest bit"),
    );
}
