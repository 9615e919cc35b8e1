// What can be seen of a torrent's inside: peers, trackers, pieces.

import { Elysia } from "elysia";
import { peerDto, trackerDto } from "../dto/torrent.ts";
import { answers } from "../openapi/answers.ts";
import type { ShownDto } from "../openapi/dto-schemas.ts";
import { torrentParams } from "../schemas.ts";
import type { RouteServices } from "../services.ts";
import { idOf } from "./torrents.ts";

export function swarmRoutes({ torrents }: RouteServices) {
  const options = (summary: string, dto: ShownDto) => ({
    params: torrentParams,
    detail: { summary, ...answers({ 200: dto }, ["not_found"]) },
  });
  return new Elysia({ normalize: false, detail: { tags: ["torrents"] } })
    .get(
      "/api/torrents/:id/peers",
      async ({ params }) => ({ items: (await torrents.peers(idOf(params.id))).map(peerDto) }),
      options("Connected peers", "PeerList"),
    )
    .get(
      "/api/torrents/:id/trackers",
      async ({ params }) => ({ items: (await torrents.trackers(idOf(params.id))).map(trackerDto) }),
      options("Trackers and how they answer", "TrackerList"),
    )
    .get(
      "/api/torrents/:id/pieces",
      async ({ params }) => {
        const { count, lengthBytes, have } = await torrents.pieces(idOf(params.id));
        return { count, length: lengthBytes, have: Buffer.from(have).toString("base64") };
      },
      options("Which pieces are there: a bit each, in base64, first piece in the highest bit", "Pieces"),
    );
}
