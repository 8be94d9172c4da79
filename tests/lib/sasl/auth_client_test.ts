/** The authenticator of the servers, against a socket that answers as a test has it. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromOctets } from "../../../components/lib/octets.ts";
import type { AuthStep } from "../../../components/lib/sasl/authenticator.ts";
import { authenticatorOver } from "../../../components/lib/sasl/auth_client.ts";
import { type AuthRequest, formatAuthStep, parseAuthRequest } from "../../../components/lib/wire/auth_protocol.ts";
import { Client } from "../../../components/lib/wire/client.ts";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import { captureLog } from "../../support/captured_log.ts";
import { within } from "../../support/wait.ts";
import { place } from "../wire/support.ts";

const facts = { ip: "192.0.2.1", entrance: "submission", tls: true };
const unavailable = { kind: "failure", reason: "unavailable" } as const;
const octets = (text: string) => new TextEncoder().encode(text);
const soon = <T>(promise: Promise<T>): Promise<T> => within(promise, 10_000, () => "an answer");

/** A server whose answers are made by `answer`; undefined: none. */
function served(answer: (request: AuthRequest, pipe: Pipe) => AuthStep | undefined, answerMs?: number) {
  const here = place();
  const requests: AuthRequest[] = [];
  const server = here.serve({
    onFrame: (frame, pipe) => {
      const request = parseAuthRequest(frame);
      requests.push(request);
      const step = answer(request, pipe);
      if (step === undefined || request.op === "cancel") return;
      const { head, body } = formatAuthStep(step);
      pipe.send({ ...head, id: request.id }, body);
    },
  });
  const client = new Client(here.path, { connectMs: 200 });
  const auth = authenticatorOver(client, {
    mechanisms: () => ["PLAIN"],
    ...(answerMs === undefined ? {} : { answerMs }),
  });
  return {
    auth,
    requests,
    server,
    errors: here.errors,
    [Symbol.dispose]: () => {
      client.close();
      here[Symbol.dispose]();
    },
  };
}

describe("authenticatorOver()", () => {
  it("carries an exchange there and back, octet by octet", async () => {
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    const steps: AuthStep[] = [
      { kind: "challenge", challenge: all },
      { kind: "success", login: "\xfc@x", final: all },
    ];
    using here = served(() => steps.shift());
    const exchange = here.auth.start("SCRAM-SHA-256-PLUS", { ...facts, endPoint: all.subarray(200, 256) });
    assertEquals(await soon(exchange.next(undefined)), { kind: "challenge", challenge: all });
    assertEquals(await soon(exchange.next(all)), { kind: "success", login: "\xfc@x", final: all });
    assertEquals(await exchange.next(all), unavailable);
    const [start, next] = here.requests;
    assertEquals(start?.op === "start" && start.response, undefined);
    assertEquals(start?.op === "start" && fromOctets(start.client.endPoint!), fromOctets(all.subarray(200, 256)));
    assertEquals(next?.op === "next" && next.response, all);
    assertEquals(here.auth.mechanisms, ["PLAIN"]);
  });

  it("tells an empty initial response from none, and carries failures with their delays", async () => {
    const failure = { kind: "failure", reason: "credentials", delayMs: 500 } as const;
    using here = served(() => failure);
    assertEquals(await soon(here.auth.start("PLAIN", facts).next(new Uint8Array(0))), failure);
    assertEquals(await soon(here.auth.start("PLAIN", facts).next(undefined)), failure);
    const responses = here.requests.map((request) => request.op === "start" ? request.response : "?");
    assertEquals(responses, [new Uint8Array(0), undefined]);
  });

  it("tells of a client that gave up, once, and never of an exchange that is over or has not begun", async () => {
    const arrived = Promise.withResolvers<void>();
    using here = served((request) => {
      if (request.op === "cancel") arrived.resolve();
      return { kind: "challenge", challenge: octets("Username:") };
    });
    here.auth.start("LOGIN", facts).cancel();
    const exchange = here.auth.start("LOGIN", facts);
    await soon(exchange.next(undefined));
    exchange.cancel();
    exchange.cancel();
    assertEquals(await exchange.next(octets("amy")), unavailable);
    await soon(arrived.promise);
    assertEquals(here.requests.map(({ op }) => op), ["start", "cancel"]);
  });

  it("is unavailable where nobody listens, and where the connection is lost before the answer", async () => {
    using here = served((_, pipe) => void pipe.close());
    assertEquals(await soon(here.auth.start("PLAIN", facts).next(octets("x"))), unavailable);
    here.server.stop();
    here.server.closeAll();
    assertEquals(await soon(here.auth.start("PLAIN", facts).next(octets("x"))), unavailable);
  });

  it("does not go on over another connection than the one that knows the exchange", async () => {
    let pipes = 0;
    using here = served((request, pipe) => {
      if (request.op === "start" && ++pipes === 1) setTimeout(() => pipe.close());
      return { kind: "challenge", challenge: octets("?") };
    });
    const first = here.auth.start("LOGIN", facts);
    assertEquals((await soon(first.next(undefined))).kind, "challenge");
    await soon((async () => {
      while (here.server.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    })());
    assertEquals((await soon(here.auth.start("LOGIN", facts).next(undefined))).kind, "challenge");
    assertEquals(await soon(first.next(octets("amy"))), unavailable);
    assertEquals(here.requests.map(({ op }) => op), ["start", "start"]);
  });

  it("waits no longer than it should for one that hangs, and says so in the log", async () => {
    using captured = captureLog();
    using here = served(() => undefined, 20);
    const exchange = here.auth.start("PLAIN", facts);
    assertEquals(await soon(exchange.next(octets("x"))), unavailable);
    assertEquals(captured.lines(), ["alert: auth gave no answer in time"]);
  });

  it("takes an answer that is none for no answer", async () => {
    using captured = captureLog();
    using here = served((request, pipe) => {
      if (request.op !== "cancel") pipe.send({ id: request.id, kind: "maybe" });
      return undefined;
    });
    assertEquals(await soon(here.auth.start("PLAIN", facts).next(octets("x"))), unavailable);
    assertEquals(captured.lines().length, 1);
  });

  it("sends no response that auth would not read", async () => {
    using here = served(() => undefined);
    const step = await here.auth.start("PLAIN", facts).next(new Uint8Array(16_385));
    assertEquals([step, here.requests], [{ kind: "failure", reason: "malformed" }, []]);
  });
});
