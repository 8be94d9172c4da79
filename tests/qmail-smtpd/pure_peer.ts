/**
 * A {@link PureServer} as a transcript's peer: what each is played against first.
 * @module
 */
import { fromOctets } from "../../components/lib/octets.ts";
import type { Peer } from "../support/transcript.ts";
import { FakeAuthenticator } from "./fake_authenticator.ts";
import { PureServer } from "./pure_server.ts";
import type { SetUp } from "./transcript_world.ts";

export class PurePeer implements Peer {
  readonly #server: PureServer;
  #text = "";

  private constructor(server: PureServer) {
    this.#server = server;
  }

  /** `code` is what the queue would answer. */
  static async start(setUp: SetUp, code: number): Promise<PurePeer> {
    const server = new PureServer({ ...setUp, authenticator: new FakeAuthenticator(), code });
    await server.begin();
    return new PurePeer(server);
  }

  async send(octets: string): Promise<void> {
    await this.#server.push(octets);
  }

  line(): Promise<string | undefined> {
    this.#text += this.#server.takeReplies();
    const end = this.#text.indexOf("\r\n");
    if (end < 0 && !this.#server.closed) throw new Error("expected a line, but the session has nothing to say");
    const line = end < 0 ? undefined : this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return Promise.resolve(line);
  }

  finish(): Promise<readonly string[]> {
    return Promise.resolve((this.#text + this.#server.takeReplies()).split("\r\n").slice(0, -1));
  }

  queued(): { sender: string; recipients: readonly string[]; content: string }[] {
    return this.#server.messages.map(({ envelope, header, content }) => ({
      sender: envelope.sender,
      recipients: envelope.recipients,
      content: header.map((line) => `${line}\n`).join("") + fromOctets(content),
    }));
  }
}
