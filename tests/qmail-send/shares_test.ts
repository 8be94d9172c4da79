import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  mostForDestination,
  mostForMessage,
  mostForUnreachable,
  mostOfRoom,
  Neighbours,
} from "../../components/qmail-send/shares.ts";

describe("what one may have", () => {
  const rows = [
    { limit: 0, message: 1, one: 1, unreachable: 1 },
    { limit: 1, message: 1, one: 1, unreachable: 1 },
    { limit: 2, message: 1, one: 1, unreachable: 1 },
    { limit: 4, message: 3, one: 3, unreachable: 2 },
    { limit: 20, message: 15, one: 17, unreachable: 10 },
    { limit: 255, message: 191, one: 223, unreachable: 127 },
  ];
  for (const { limit, message, one, unreachable } of rows) {
    it(`is ${one} for one, ${unreachable} for the unreachable ones and ${message} for a message, of ${limit} slots`, () => {
      const most = [mostForDestination(limit), mostForUnreachable(limit), mostForMessage(limit)];
      assertEquals(most, [one, unreachable, message]);
    });
  }

  for (
    const [room, most] of [[0, 0], [1, 1], [3, 3], [4, 3], [5, 4], [15, 14], [16, 14], [17, 15], [223, 196], [
      Infinity,
      Infinity,
    ]] as const
  ) {
    it(`leaves a message ${most} of room for ${room}`, () => assertEquals(mostOfRoom(room), most));
  }

  it("is a quarter for a message whose neighbours wait for the same disk, for a minute after the last came", () => {
    const neighbours = new Neighbours();
    const most = (nowMs: number) => neighbours.mostForMessage(40, nowMs);
    neighbours.note(true, 1000);
    assertEquals(most(1000), 30);
    neighbours.note(false, 2000);
    assertEquals([most(2000), most(61_999), most(62_000)], [10, 10, 30]);
    neighbours.note(false, 70_000);
    neighbours.note(true, 80_000);
    assertEquals([most(129_999), most(130_000)], [10, 30]);
    // The clock was set back.
    assertEquals(most(69_999), 30);
    assertEquals(neighbours.mostForMessage(1, 70_000), 1);
  });
});
