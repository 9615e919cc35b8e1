import { describe, expect, test } from "bun:test";
import { DialGate, type DialTicket } from "../../../../src/swarm/candidates/dial-gate.ts";
import { SteppedClock } from "../../../support/stepped-clock.ts";

const host = (n: number) => ({ host: `20.1.${n >> 8}.${n & 255}`, port: 6881 });

function gate() {
  const clock = new SteppedClock();
  return { clock, gate: new DialGate({ clock }) };
}

describe("the gate of dials", () => {
  test("lets 30 go at once, then 20 a second", async () => {
    const { clock, gate: all } = gate();
    let dialed = 0;
    const dial = () => {
      for (
        let ticket = all.tryDial(host(dialed), 0);
        ticket !== null;
        ticket = all.tryDial(host(dialed), 0)
      ) {
        dialed++;
        ticket.closed();
      }
      return dialed;
    };
    expect(dial()).toBe(30);
    for (let second = 1; second <= 10; second++) {
      await clock.advance(1000);
      expect(dial()).toBe(30 + 20 * second);
    }
    expect(all.total).toBe(0);
  });

  test("holds at 50 half open and 290 dialled, and leaves ten places for those who come in", async () => {
    const { clock, gate: all } = gate();
    const tickets: DialTicket[] = [];
    const fill = async () => {
      for (let second = 0; second < 5; second++) {
        for (;;) {
          const ticket = all.tryDial(host(tickets.length), 0);
          if (ticket === null) break;
          tickets.push(ticket);
        }
        await clock.advance(1000);
      }
    };
    await fill();
    expect([all.halfOpen, all.hasRoom()]).toEqual([50, false]);
    while (tickets.length < 290) {
      for (const ticket of tickets) ticket.connected();
      await fill();
      expect(all.halfOpen).toBeLessThanOrEqual(50);
    }
    for (const ticket of tickets) ticket.connected();
    expect([tickets.length, all.halfOpen, all.total, all.hasRoom()]).toEqual([290, 0, 290, false]);
    const accepted = Array.from({ length: 11 }, () => all.tryAccept());
    expect(accepted.map((ticket) => ticket !== null)).toEqual([...new Array(10).fill(true), false]);
    accepted[0]?.closed();
    accepted[0]?.closed();
    expect(all.total).toBe(299);
  });

  test("a ticket ends once, however often it is ended", () => {
    const { gate: all } = gate();
    const ticket = all.tryDial(host(1), 0);
    ticket?.connected();
    ticket?.connected();
    ticket?.failed();
    ticket?.closed();
    expect([all.halfOpen, all.total]).toEqual([0, 0]);
  });

  test("three failures leave a stranger's IP alone for ten minutes, over all ports", async () => {
    const { clock, gate: all } = gate();
    for (let port = 6881; port < 6884; port++) {
      all.tryDial({ host: "20.0.0.1", port }, 0)?.failed();
      await clock.advance(60_000);
    }
    expect(all.tryDial({ host: "20.0.0.1", port: 7000 }, 0)).toBeNull();
    expect(all.mayDial({ host: "::ffff:20.0.0.1", port: 7000 })).toBe(false);
    expect(all.mayDial({ host: "20.0.0.2", port: 7000 })).toBe(true);
    await clock.advance(600_000 - 3 * 60_000);
    expect(all.mayDial({ host: "20.0.0.1", port: 7000 })).toBe(true);
  });

  test("our own network may fail as often as it likes; a dial that we gave up is no failure", () => {
    const { gate: all } = gate();
    for (let n = 0; n < 8; n++) {
      expect(all.tryDial({ host: "127.0.0.1", port: 7000 + n }, 0)).not.toBeNull();
      all.tryDial({ host: "192.168.0.2", port: 7000 + n }, 0)?.failed();
      all.tryDial({ host: "20.0.0.1", port: 7000 + n }, 0)?.closed();
    }
    expect(all.mayDial({ host: "20.0.0.1", port: 1 })).toBe(true);
  });

  test("the connect limit is 10 s, 5 s when more than 20 others wait", () => {
    const { gate: all } = gate();
    expect(all.tryDial(host(1), 20)?.timeoutMs).toBe(10_000);
    expect(all.tryDial(host(2), 21)?.timeoutMs).toBe(5_000);
  });
});
