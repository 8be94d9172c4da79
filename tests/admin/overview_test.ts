import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { defectsOf, type Overview, unreadyOf } from "../../components/admin/overview.ts";
import { away, local, overview, smtpd, supervisor, withComponents } from "./samples.ts";

describe("defectsOf()", () => {
  const rows: { name: string; input: Overview; want: string[] }[] = [
    { name: "finds none when all run", input: overview, want: [] },
    { name: "does not ask components started on demand to run", input: withComponents(smtpd, local), want: [] },
    {
      name: "names each source that is away",
      input: {
        ...overview,
        supervisor: away,
        queue: away,
        send: { kind: "away", why: "gave no answer within a second" },
      },
      want: [
        "supervisor cannot be reached",
        "qmail-queue cannot be reached",
        "qmail-send gave no answer within a second",
      ],
    },
    {
      name: "names each component that is not running, with its state",
      input: withComponents(smtpd, { ...smtpd, name: "resolver", state: "waiting" }, { ...smtpd, state: "starting" }),
      want: ["resolver is not running: waiting", "qmail-smtpd is not running: starting"],
    },
    {
      name: "says that the supervisor is not ready when nothing else is wrong",
      input: { ...overview, supervisor: { kind: "answered", status: { ...supervisor, ready: false } } },
      want: ["supervisor is not ready"],
    },
  ];
  for (const { name, input, want } of rows) it(name, () => assertEquals(defectsOf(input), want));
});

describe("unreadyOf()", () => {
  it("is about what mail needs, not about each component", () => {
    assertEquals(unreadyOf(withComponents(smtpd, { ...smtpd, name: "admin", state: "waiting" })), []);
    const status = { ...supervisor, ready: false };
    assertEquals(unreadyOf({ ...overview, send: away, supervisor: { kind: "answered", status } }), [
      "qmail-send cannot be reached",
      "not all components are ready",
    ]);
  });
});
