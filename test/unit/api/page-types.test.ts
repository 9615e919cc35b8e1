// The page writes down what it uses of the answers about playing, as the server's own types would draw the whole server
// into it; here the compiler sees to it that they are what the server gives.

import { expect, test } from "bun:test";
import type { SessionDto, StreamInfoDto } from "../../../src/api/dto/media.ts";
import { sessionDto } from "../../../src/api/dto/media.ts";
import type { PlaySession, StreamInfo } from "../../../web/src/api/types.ts";

const session = (answer: SessionDto): PlaySession => answer;
const info = (answer: StreamInfoDto): StreamInfo => answer;

test("the page takes the server's answers about playing for what they are", () => {
  const decision = {
    mode: "direct",
    isPlayable: true,
    quality: "original",
    video: null,
    encoder: null,
    audio: [],
    audioIndex: null,
    subtitles: [],
    reasons: [],
    offers: [],
    isLinear: false,
  } as const;
  const told = session(sessionDto({ id: "s", decision, url: "/film" }));
  expect(told).toMatchObject({
    session: "s",
    mode: "direct",
    is_playable: true,
    url: "/film",
    qualities: [],
  });
  expect(info).toBeFunction();
});
