/**
 * What the `!` lines of SMTP transcripts mean: control files by name (`! databytes 12`), `! relay`, `! queue CODE`, and for
 * what no control file says `! session WORD...`: settings of the dialogue by name (`startTls`, `mostErrors=2`,
 * `mechanisms=PLAIN,LOGIN`), `secured` and `bound` for the channel, `policy` for {@link testPolicy}.
 * @module
 */
import type { ClientFacts, Decision, Policy } from "../../components/lib/policy/decision.ts";
import type { Mechanism } from "../../components/lib/sasl/authenticator.ts";
import { allExtensions, type Dialect, type Settings } from "../../components/lib/smtp/server_settings.ts";
import type { Controls } from "../../config/schema.ts";
import type { Transcript } from "../support/transcript.ts";
import { allMechanisms } from "./fake_authenticator.ts";
import type { ControlTexts } from "./world.ts";
import { policyFor } from "./world.ts";

const ours = new Set(["queue", "relay", "session"]);

/** The control files of a transcript. */
export function controlsOf({ settings }: Transcript): ControlTexts {
  const files = [...settings].filter(([name]) => !ours.has(name)).map(([name, text]) => [name, `${text}\n`]);
  return { ...Object.fromEntries(files), ...(settings.has("relay") ? { relayclients: "127.0.0.0/8\n" } : {}) };
}

/** What the queue answers. */
export function codeOf({ settings }: Transcript): number {
  return Number(settings.get("queue") ?? 0);
}

/** Whether a transcript needs more than control files. */
export function isSpecial({ settings }: Transcript): boolean {
  return settings.has("session");
}

/** How the server of a transcript is set up. */
export interface SetUp {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly relaying: boolean;
  readonly secured: boolean;
  readonly bound: boolean;
}

export function setUpOf({ settings: texts }: Transcript, controls: Controls): SetUp {
  const words = new Map(
    (texts.get("session") ?? "").split(" ").map((word) => {
      const [name = "", value = "yes"] = word.split("=");
      return [name, value];
    }),
  );
  const number = (name: string) => words.has(name) ? { [name]: Number(words.get(name)) } : {};
  const flag = (name: string) => words.has(name) ? { [name]: words.get(name) === "yes" } : {};
  const without = new Set((words.get("without") ?? "").split(","));
  const settings: Settings = {
    greeting: controls.smtpgreeting,
    databytes: controls.databytes,
    dialect: (words.get("dialect") ?? "smtp") as Dialect,
    extensions: new Set([...allExtensions].filter((extension) => !without.has(extension))),
    mechanisms: words.get("mechanisms") === "all"
      ? allMechanisms
      : (words.get("mechanisms")?.split(",") ?? []) as Mechanism[],
    ...number("mostErrors"),
    ...number("mostRecipients"),
    ...number("mostMails"),
    ...flag("startTls"),
    ...flag("authNeedsTls"),
    ...flag("mailNeedsAuth"),
    ...flag("mailNeedsTls"),
    ...flag("xclient"),
  };
  const simple = policyFor(controls);
  const policy = words.has("policy") ? testPolicy(simple, words.get("connect") ?? "") : simple;
  const relaying = texts.has("relay");
  return { settings, policy, relaying, secured: words.has("secured"), bound: words.has("bound") };
}

function refuse(reply: string, more: Partial<Decision & { kind: "refuse" }> = {}): Decision {
  return { kind: "refuse", address: "x@y.example", reason: "tested", reply, counted: true, ...more };
}

/**
 * A policy with something to say at each point, by the words it meets: `connect` is "refused", "dropped" or "421", HELO and
 * local parts are `refused`, `dropped`, `later` (not counted), `slow` (delayed), `silent`, `noted` (a header line), `chatty`.
 */
export function testPolicy(simple: Policy, connect: string): Policy {
  const decide = (word: string, otherwise: () => Decision | Promise<Decision>): Decision | Promise<Decision> => {
    switch (word) {
      case "refused":
        return refuse("550 5.7.1 no\r\n250 injected");
      case "dropped":
        return refuse("550 5.7.1 go away", { drop: true });
      case "421":
        return refuse("421 4.7.0 not now");
      case "later":
        return refuse("450 4.7.1 later", { counted: false });
      case "slow":
        return refuse("550 5.7.1 slowly", { delayMs: 1 });
      case "silent":
        return refuse("", { drop: true });
      case "wordless":
        return refuse("");
      case "chatty":
        return Promise.resolve(otherwise()).then((decision) => ({ ...decision, lines: ["250-by the way"] }));
      case "noted":
        return Promise.resolve(otherwise()).then((decision) =>
          decision.kind === "accept" ? { ...decision, header: ["X-Noted: yes"] } : decision
        );
      default:
        return otherwise();
    }
  };
  const localPart = (path: { kind: string; mailbox?: { localPart: string } }) => path.mailbox?.localPart ?? "";
  return {
    connect: (client: ClientFacts) => decide(connect, () => simple.connect(client)),
    helo: (client) => decide(client.helo, () => simple.helo(client)),
    mail: (client, sender, parameters) => decide(localPart(sender), () => simple.mail(client, sender, parameters)),
    rcpt: (client, mail, path) => decide(localPart(path), () => simple.rcpt(client, mail, path)),
    data: (_, { sender }) =>
      sender.kind === "mailbox" && sender.mailbox.localPart === "nodata"
        ? refuse("550 5.7.1 no content from you")
        : { kind: "accept", address: "" },
  };
}
