/**
 * What has to change for open pages to be worth another look.
 * @module
 */
import type { World } from "../world.ts";

/** Everything that counts, and the newest line of the log; not what merely passes, such as ages and memory. */
export async function fingerprintOf(world: Pick<World, "overview" | "tail">): Promise<string> {
  const [{ supervisor, queue, send }, tail] = await Promise.all([world.overview(), world.tail({ count: 1 })]);
  const components = supervisor.kind === "away"
    ? supervisor.why
    : supervisor.status.components.map(({ name, state, pid }) => [name, state, pid]);
  const cursor = tail.kind === "away" ? tail.why : tail.status.cursor;
  return JSON.stringify([components, queue, send, cursor]);
}
