/** An exchange against credentials that a test makes up: what is counted, logged and held back. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { Checked, Credentials } from "../../components/auth/credentials.ts";
import { Exchange, type Service } from "../../components/auth/exchange.ts";
import { Exchanges, mostExchanges } from "../../components/auth/exchanges.ts";
import { Failures, mostByClient, mostDelayMs } from "../../components/auth/failures.ts";
import { Turns } from "../../components/auth/turns.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import type { AuthStep, Mechanism } from "../../components/lib/sasl/authenticator.ts";
import { deriveScramSecret } from "../../components/lib/sasl/scram_secret.ts";
import { beginning } from "../lib/sasl/play.ts";
import { ScramClient } from "../lib/sasl/scram_client.ts";

const secret = await deriveScramSecret(toOctets("sesame"), new Uint8Array(16), 4096);

interface World extends Service {
  readonly log: string[];
  /** Passwords that were compared. */
  compared: number;
  answer: Checked | undefined;
}

function world(turns = new Turns({ atOnce: 1, mostWaiting: 4 })): World {
  const log: string[] = [];
  const credentials: Credentials = {
    password: ({ canonical }, password) => {
      here.compared++;
      const isRight = canonical === "amy@mx.example" && password === "sesame";
      return Promise.resolve(
        here.answer ?? (isRight ? { verdict: "right" } : { verdict: "credentials", detail: "password" }),
      );
    },
    digest: () => Promise.resolve({ verdict: "credentials", detail: "password-scheme" }),
    secret: ({ canonical }) =>
      here.answer === undefined ? { secret, isReal: canonical === "amy@mx.example" } : "unavailable",
  };
  const here: World = {
    credentials,
    failures: new Failures(),
    turns,
    me: "mx.example",
    nowMs: () => 0,
    breathe: () => Promise.resolve(),
    logEvent: (event, pairs) => void log.push([event, ...Object.entries(pairs).map(([k, v]) => `${k}=${v}`)].join(" ")),
    log,
    compared: 0,
    answer: undefined,
  };
  return here;
}

const client = { ip: "192.0.2.1", entrance: "submission", tls: true };
const begin = (service: Service, mechanism: Mechanism, ip = client.ip) =>
  new Exchange(mechanism, { ...client, ip }, beginning, service);
const plain = (service: Service, login: string, password: string, ip?: string): Promise<AuthStep> =>
  begin(service, "PLAIN", ip).next(toOctets(`\0${login}\0${password}`));

async function scram(service: Service, login: string, password: string): Promise<AuthStep> {
  const [exchange, ours] = [begin(service, "SCRAM-SHA-256"), new ScramClient(login, password)];
  const step = await exchange.next(toOctets(ours.first()));
  if (step.kind !== "challenge") return step;
  return await exchange.next(toOctets(ours.final(fromOctets(step.challenge))));
}

describe("an exchange", () => {
  it("that succeeds names the user in one form, and is logged", async () => {
    const here = world();
    for (const name of ["amy", "AMY@MX.example"]) {
      assertEquals(await plain(here, name, "sesame"), { kind: "success", login: "amy@mx.example" });
    }
    assertEquals((await scram(here, "Amy", "sesame")).kind, "success");
    const line = (mechanism: string) =>
      `login ip=192.0.2.1 login=amy@mx.example mechanism=${mechanism} entrance=submission tls=yes`;
    assertEquals(here.log, [line("PLAIN"), line("PLAIN"), line("SCRAM-SHA-256")]);
  });

  it("that fails is counted, held back and logged with its reason", async () => {
    const here = world();
    assertEquals(await plain(here, "amy", "wrong"), { kind: "failure", reason: "credentials", delayMs: 500 });
    assertEquals(await scram(here, "amy", "wrong"), { kind: "failure", reason: "credentials", delayMs: 1000 });
    assertEquals(await scram(here, "nobody", "wrong"), { kind: "failure", reason: "credentials", delayMs: 2000 });
    const reasons = here.log.map((line) => line.slice(line.indexOf("login=")));
    assertEquals(reasons, [
      "login=amy@mx.example mechanism=PLAIN entrance=submission tls=yes reason=password",
      "login=amy@mx.example mechanism=SCRAM-SHA-256 entrance=submission tls=yes reason=credentials",
      "login=nobody@mx.example mechanism=SCRAM-SHA-256 entrance=submission tls=yes reason=no-secret",
    ]);
  });

  it("of a client that failed too often compares nothing, not even what is right", async () => {
    const here = world();
    for (let n = 0; n < mostByClient; n++) await plain(here, `u${n}`, "wrong");
    const before = here.compared;
    const refusal = { kind: "failure", reason: "throttled", delayMs: mostDelayMs } as const;
    assertEquals(await plain(here, "amy", "sesame"), refusal);
    assertEquals(await scram(here, "amy", "sesame"), refusal);
    assertEquals(here.compared, before);
    assertEquals(here.log.at(-1)!.split(" ").at(-1), "reason=locked");
    assertEquals((await plain(here, "amy", "sesame", "192.0.2.2")).kind, "success");
  });

  it("that waited, or has heard a challenge, is refused where others failed too often meanwhile", async () => {
    const here = world(new Turns({ atOnce: 1, mostWaiting: 1000 }));
    const guesses = Array.from({ length: 100 }, (_, n) => plain(here, "amy", `guess${n}`));
    const ours = new ScramClient("amy", "sesame");
    const exchange = begin(here, "SCRAM-SHA-256");
    const first = await exchange.next(toOctets(ours.first()));
    assert(first.kind === "challenge");
    const reasons = (await Promise.all(guesses)).map((step) => step.kind === "failure" ? step.reason : step.kind);
    assertEquals(reasons, [
      ...Array<string>(mostByClient).fill("credentials"),
      ...Array<string>(100 - mostByClient).fill("throttled"),
    ]);
    assertEquals(here.compared, mostByClient);
    const last = await exchange.next(toOctets(ours.final(fromOctets(first.challenge))));
    assertEquals(last, { kind: "failure", reason: "throttled", delayMs: mostDelayMs });
  });

  it("that finds too many waiting is throttled at once, and not counted", async () => {
    const here = world(new Turns({ atOnce: 1, mostWaiting: 1 }));
    const steps = await Promise.all(["a", "b", "c"].map((name, n) => plain(here, name, "wrong", `192.0.2.${n}`)));
    assertEquals(steps[2], { kind: "failure", reason: "throttled" });
    assertEquals(here.log.filter((line) => line.endsWith("reason=busy")).length, 1);
    assertEquals(await plain(here, "c", "wrong", "192.0.2.2"), {
      kind: "failure",
      reason: "credentials",
      delayMs: 500,
    });
  });

  it("is nobody's failure while credentials are away", async () => {
    const here = world();
    here.answer = { verdict: "unavailable" };
    assertEquals(await plain(here, "amy", "sesame"), { kind: "failure", reason: "unavailable" });
    assertEquals(await scram(here, "amy", "sesame"), { kind: "failure", reason: "unavailable" });
    here.answer = undefined;
    assertEquals(await plain(here, "amy", "wrong"), { kind: "failure", reason: "credentials", delayMs: 500 });
  });

  it("takes no initial response where the server speaks first", async () => {
    const here = world();
    assertEquals(await begin(here, "CRAM-MD5").next(new Uint8Array(0)), { kind: "failure", reason: "malformed" });
    const exchange = begin(here, "CRAM-MD5");
    const step = await exchange.next(undefined);
    assertEquals(step.kind === "challenge" && fromOctets(step.challenge), "<3rfcNHYJY1ZVvWVs7j@mx.example>");
    assertEquals(await exchange.next(toOctets(`amy ${"0".repeat(32)}`)), {
      kind: "failure",
      reason: "credentials",
      delayMs: 500,
    });
  });

  it("takes an empty initial response for one, and none for none", async () => {
    const here = world();
    assertEquals(await begin(here, "PLAIN").next(new Uint8Array(0)), { kind: "failure", reason: "malformed" });
    assertEquals(await begin(here, "PLAIN").next(undefined), { kind: "challenge", challenge: new Uint8Array(0) });
  });

  it("that was cancelled goes nowhere, and compares nothing when its turn comes", async () => {
    const here = world();
    const exchange = begin(here, "LOGIN");
    await exchange.next(undefined);
    exchange.cancel();
    assertEquals(await exchange.next(toOctets("amy")), { kind: "failure", reason: "unavailable" });
    const waiting = [begin(here, "PLAIN"), begin(here, "PLAIN")] as const;
    const steps = waiting.map((one) => one.next(toOctets("\0amy\0wrong")));
    waiting[1].cancel();
    await Promise.all(steps);
    assertEquals(here.compared, 1);
  });
});

describe("exchanges under way", () => {
  it("are given up with their connection, one by one, and the oldest where there are too many", () => {
    const here = world();
    const exchanges = new Exchanges<string>();
    const made = Array.from({ length: mostExchanges + 2 }, () => begin(here, "PLAIN"));
    made.forEach((exchange, n) => exchanges.add(n % 2 === 0 ? "even" : "odd", n, exchange));
    assertEquals(exchanges.size, mostExchanges);
    assertEquals([exchanges.get("even", 0), exchanges.get("odd", 1)], [undefined, undefined]);
    assertEquals(exchanges.get("even", 2), made[2]);
    assertEquals(exchanges.get("odd", 2), undefined);
    exchanges.end("even", 2);
    assertEquals(exchanges.get("even", 2), undefined);
    exchanges.endAll("odd");
    assertEquals([exchanges.get("odd", 3), exchanges.get("even", 4)], [undefined, made[4]]);
    exchanges.endAll("even");
    exchanges.endAll("even");
    assertEquals(exchanges.size, 0);
  });
});
