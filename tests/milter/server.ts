/** The scripted milter on a socket. @module */
import { type Script, ScriptedMilter } from "../lib/milter/scripted_milter.ts";
import { type Place, type ScriptedServer, scriptedServer } from "../support/scripted_server.ts";

export interface MilterServer {
  readonly server: ScriptedServer;
  /** One for each connection. */
  readonly sessions: readonly ScriptedMilter[];
}

export function milterServer(script: Script, place: Place = {}): MilterServer {
  const sessions: ScriptedMilter[] = [];
  const server = scriptedServer(async (conn) => {
    const milter = new ScriptedMilter(script);
    sessions.push(milter);
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const length = await conn.read(buffer);
      if (length === null) return;
      const answer = milter.push(buffer.subarray(0, length));
      for (let at = 0; at < answer.length;) at += await conn.write(answer.subarray(at));
    }
  }, place);
  return { server, sessions };
}
