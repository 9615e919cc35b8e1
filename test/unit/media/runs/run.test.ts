import { expect, spyOn, test } from "bun:test";
import { initBytes } from "../../../support/fmp4-bytes.ts";
import { fakeFilm, held, never, pictures } from "./fake-film.ts";

test("a run keeps nothing of the chunks that it has read", async () => {
  const film = fakeFilm();
  const first = held(film.rendition.segment(0, never));
  await film.settle();
  const race = spyOn(Promise, "race");
  film.programs.last.push(initBytes(), ...pictures(0, 5));
  for (let i = 0; i < 40; i++) await film.settle();
  await first;
  // A promise that lives as long as the run remembers every wait that was raced with it.
  expect(race).not.toHaveBeenCalled();
  race.mockRestore();
  await film.rendition.close();
});
