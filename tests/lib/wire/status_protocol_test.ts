import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  parseQueueStatus,
  parseSendStatus,
  parseSupervisorStatus,
} from "../../../components/lib/wire/status_protocol.ts";
import type { Frame, RawHead } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import { queue, send, smtpd, supervisor } from "../../admin/samples.ts";

/** As it comes off the wire: undefined fields are absent there. */
function frame(head: unknown): Frame {
  return { head: JSON.parse(JSON.stringify(head)) as RawHead, body: new Uint8Array(0) };
}

describe("the status parsers", () => {
  it("give back what was sent", () => {
    assertEquals(parseSupervisorStatus(frame({ ...supervisor, id: 1 })), supervisor);
    assertEquals(parseQueueStatus(frame({ ...queue, id: 1 })), queue);
    assertEquals(parseSendStatus(frame({ ...send, id: 1 })), send);
  });

  const component = (change: object) => frame({ ...supervisor, components: [{ ...smtpd, ...change }] });
  const refusals: { name: string; parse: () => unknown }[] = [
    { name: "no fields at all", parse: () => parseSupervisorStatus(frame({})) },
    {
      name: "components that are no list",
      parse: () => parseSupervisorStatus(frame({ ...supervisor, components: {} })),
    },
    {
      name: "a component that is null",
      parse: () => parseSupervisorStatus(frame({ ...supervisor, components: [null] })),
    },
    { name: "a state nobody knows", parse: () => parseSupervisorStatus(component({ state: "<b>" })) },
    { name: "a name that is a number", parse: () => parseSupervisorStatus(component({ name: 1 })) },
    { name: "a port that is a text", parse: () => parseSupervisorStatus(component({ ports: { smtp: "25" } })) },
    { name: "ports in a list", parse: () => parseSupervisorStatus(component({ ports: [25] })) },
    { name: "a flag that is an object", parse: () => parseSupervisorStatus(component({ grant: [{}] })) },
    { name: "a negative uptime", parse: () => parseSupervisorStatus(component({ uptimeSeconds: -1 })) },
    { name: "a count below zero", parse: () => parseQueueStatus(frame({ ...queue, acceptedMessages: -1 })) },
    { name: "half a message", parse: () => parseSendStatus(frame({ ...send, messages: 0.5 })) },
    { name: "channels that are a number", parse: () => parseSendStatus(frame({ ...send, running: 3 })) },
    { name: "a channel too few", parse: () => parseSendStatus(frame({ ...send, limits: { local: 3 } })) },
  ];
  for (const { name, parse } of refusals) {
    it(`refuse ${name}`, () => assert(assertThrows(parse) instanceof ProtocolError));
  }

  it("keep a port called __proto__ as a name like any other", () => {
    const hostile: Frame = {
      head: JSON.parse(
        JSON.stringify({ ...supervisor, components: [{ ...smtpd, ports: {} }] }).replace(
          '"ports":{}',
          '"ports":{"__proto__":7}',
        ),
      ),
      body: new Uint8Array(0),
    };
    assertEquals(Object.entries(parseSupervisorStatus(hostile).components[0]!.ports), [["__proto__", 7]]);
  });

  it("cut seconds to whole ones", () => {
    assertEquals(parseSupervisorStatus(component({ uptimeSeconds: 1.9 })).components[0]!.uptimeSeconds, 1);
  });

  it("throw nothing but ProtocolError", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys({ ...supervisor, ...send })), fc.jsonValue()),
        (head) => {
          for (const parse of [parseSupervisorStatus, parseQueueStatus, parseSendStatus]) {
            try {
              parse(frame(head));
            } catch (error) {
              assert(error instanceof ProtocolError);
            }
          }
        },
      ),
    );
  });
});
