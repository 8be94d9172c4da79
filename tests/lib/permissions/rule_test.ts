import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Config, Grant, Manifest } from "../../../components/lib/permissions/grant.ts";
import { breaches } from "../../../components/lib/permissions/rule.ts";
import { homeAt, socketNames } from "../../../config/home.ts";
import { manifests } from "../../../config/manifests.ts";
import type { Controls } from "../../../config/schema.ts";
import { defaultConfig } from "../../../scripts/home/default_config.ts";

const home = homeAt("/h");

const configs: readonly {
  readonly what: string;
  readonly controls: Partial<Controls>;
  readonly portOffset?: number;
}[] = [
  { what: "the embedded default", controls: {} },
  { what: "the embedded default with an offset", controls: {}, portOffset: 20_000 },
  {
    what: "a public server on port 25",
    controls: {
      listeners: [{ service: "smtp", host: "0.0.0.0", port: 25 }, { service: "smtp", host: "::", port: 25 }],
    },
  },
  { what: "no listener at all", controls: { listeners: [] } },
  { what: "admin off loopback", controls: { listeners: [{ service: "admin", host: "0.0.0.0", port: 8025 }] } },
  {
    what: "relays by name, by address, with IPv6, and an exception",
    controls: {
      smtproutes: new Map([
        ["a.example", { host: "relay.example", port: 25 }],
        ["b.example", { host: "192.0.2.1", port: 2525 }],
        [".c.example", { host: "2001:db8::1", port: 26 }],
        ["d.example", undefined],
        ["", { host: "smarthost.example", port: 587 }],
      ]),
    },
  },
  {
    what: "name servers elsewhere and here",
    controls: { nameservers: [{ host: "192.0.2.53", port: 53 }, { host: "::1", port: 5353 }] },
  },
  {
    what: "IPv6, with relays by name and by address, and addresses of its own",
    controls: {
      ipv6: "1",
      mxps: true,
      outgoingip: ["192.0.2.7", "2001:db8::7"],
      smtproutes: new Map([["a.example", { host: "relay.example", port: 587 }], ["", {
        host: "2001:db8::1",
        port: 26,
      }]]),
    },
  },
  { what: "an LMTP server for the mailboxes", controls: { defaultdelivery: "lmtp:/run/dovecot/lmtp\n" } },
  {
    what: "the supervisor's socket in an LMTP server's place",
    controls: { defaultdelivery: "lmtp:/h/run/supervisor/s" },
  },
  { what: "a program that is asked about recipients", controls: { rcptcheck: "/usr/local/bin/check" } },
  {
    what: "every entrance, with proxies, several processes and sockets for LMTP",
    controls: {
      smtpdprocesses: 4,
      listeners: [
        { service: "smtp", host: "0.0.0.0", port: 25, proxy: true },
        { service: "submission", host: "::", port: 587 },
        { service: "submissions", host: "::", port: 465 },
        { service: "lmtp", host: "127.0.0.1", port: 24 },
        { service: "lmtp", path: "lmtp/s" },
        { service: "lmtp", path: "/srv/lmtp" },
      ],
    },
  },
  {
    what: "POP3, in the clear and over TLS",
    controls: {
      listeners: [
        { service: "pop3", host: "0.0.0.0", port: 110, proxy: true },
        { service: "pop3s", host: "::", port: 995 },
      ],
    },
  },
  { what: "a lab's network", controls: { mxprivate: true, remoteport: 2500 } },
];

function manifest(grant: Grant, rest: Partial<Manifest> = {}): Manifest {
  return {
    name: "bad",
    job: "is made up",
    account: "qmaild",
    startedBy: "supervisor",
    stopOrder: 1,
    permissions: () => grant,
    ...rest,
  };
}

const launcher = (name: string) => home.libexec("launch", name);

const table: readonly {
  readonly what: string;
  readonly grant: Grant;
  readonly startedBy?: Manifest["startedBy"];
  readonly want: readonly string[];
}[] = [
  {
    what: "listens and writes",
    grant: { listen: ["0.0.0.0:25"], write: ["/h/queue/mess"] },
    want: ["bad: reaches the network and may write /h/queue/mess"],
  },
  {
    what: "connects and writes two folders",
    grant: { connect: ["0.0.0.0/0:25"], write: ["/h/mail", "/h/users"] },
    want: ["bad: reaches the network and may write /h/mail, /h/users"],
  },
  {
    what: "listens and runs a shell",
    grant: { listen: ["127.0.0.1:2525"], run: ["/bin/sh"] },
    want: ["bad: reaches the network and may run /bin/sh", "bad: may run /bin/sh, which is no launcher"],
  },
  {
    what: "connects and starts qmail-local",
    grant: { connect: ["127.0.0.1:25"], run: [launcher("qmail-local")] },
    want: [`bad: reaches the network and may run ${launcher("qmail-local")}`],
  },
  {
    what: "listens and reads mail",
    grant: { listen: ["127.0.0.1:2525"], read: ["/h/control/me", "/h/queue/mess"] },
    want: ["bad: reaches the network and may read /h/queue/mess"],
  },
  {
    what: "connects and reads the accounts",
    grant: { connect: ["127.0.0.1:53"], read: ["/etc/resolv.conf", "/etc/passwd"] },
    want: ["bad: reaches the network and may read /etc/passwd"],
  },
  {
    what: "listens and reads beside control",
    grant: { listen: ["127.0.0.1:2525"], read: ["/h/control.old/me"] },
    want: ["bad: reaches the network and may read /h/control.old/me"],
  },
  {
    what: "does everything wrong at once",
    grant: { listen: ["127.0.0.1:2525"], write: ["/w"], run: ["/bin/sh"], read: ["/r"] },
    want: [
      "bad: reaches the network and may write /w",
      "bad: reaches the network and may run /bin/sh",
      "bad: reaches the network and may read /r",
      "bad: may run /bin/sh, which is no launcher",
    ],
  },
  {
    what: "starts deno",
    grant: { run: ["/usr/local/bin/deno"] },
    want: ["bad: may run /usr/local/bin/deno, which is no launcher"],
  },
  {
    what: "starts a grant instead of its launcher",
    grant: { run: [home.libexec("grants", "qmail-local")] },
    want: [`bad: may run ${home.libexec("grants", "qmail-local")}, which is no launcher`],
  },
  {
    what: "starts deno as the supervisor",
    grant: { run: ["/usr/local/bin/deno"] },
    startedBy: "start",
    want: ["bad: may run /usr/local/bin/deno, which is no launcher"],
  },
  {
    what: "runs a shell",
    grant: { run: ["/bin/sh"] },
    want: ["bad: may run /bin/sh, which is no launcher"],
  },
  {
    what: "starts a component besides qmail-local",
    grant: { run: [launcher("qmail-local"), launcher("qmail-remote")] },
    want: [`bad: may start ${launcher("qmail-remote")}: only the supervisor starts components`],
  },
  {
    what: "connects to sockets of the mail server's own as to other software's",
    grant: { callsPaths: ["/run/lmtp", "/h/run/supervisor/s", "/h/libexec/launch/qmail-local", "/h"] },
    want: ["bad: may connect to /h/run/supervisor/s, /h/libexec/launch/qmail-local, /h as to other software"],
  },
  {
    what: "makes sockets for other software where others' are, or files may be",
    grant: {
      servesPaths: [
        "/run/lmtp",
        "/h/run/lmtp/s",
        "/h/run/auth/s",
        "/h/run/s",
        "/h/control/me",
        "/h/queue/lock/s",
        "/h",
      ],
    },
    want: [
      "bad: may make /h/run/auth/s, /h/run/s, /h/control/me, /h/queue/lock/s, /h as a socket for other software",
    ],
  },
  {
    what: "makes a socket with a path too long for one",
    grant: { servesPaths: [`/srv/${"x".repeat(103)}`] },
    want: [`bad: is to make /srv/${"x".repeat(103)}: the system takes 107 octets for a socket`],
  },
  {
    what: "writes grants",
    grant: { write: [home.libexec("grants")] },
    want: [`bad: may write grants or launchers in ${home.libexec("grants")}`],
  },
  {
    what: "writes one launcher",
    grant: { write: [launcher("qmail-local")] },
    want: [`bad: may write grants or launchers in ${launcher("qmail-local")}`],
  },
  {
    what: "writes the home, in which the launchers are",
    grant: { write: ["/h"] },
    want: ["bad: may write grants or launchers in /h"],
  },
  {
    what: "writes everywhere",
    grant: { write: ["/"] },
    want: ["bad: may write grants or launchers in /"],
  },
];

const allowed: readonly { readonly what: string; readonly grant: Grant; readonly startedBy?: Manifest["startedBy"] }[] =
  [
    { what: "nothing", grant: {} },
    { what: "a mailbox writer that runs a user's program", grant: { write: ["/h/mail"], run: [launcher("program")] } },
    { what: "a mailbox writer that has an LMTP server", grant: { write: ["/h/mail"], callsPaths: ["/run/lmtp"] } },
    { what: "one who calls sockets and writes", grant: { write: ["/h/queue/mess"], calls: ["qmail-send"] } },
    { what: "a listener with its control files", grant: { listen: ["[::]:25"], read: ["/h/control/databytes"] } },
    {
      what: "the supervisor with grants and launchers",
      grant: { write: [home.libexec("grants")], run: [launcher("qmail-remote")] },
      startedBy: "start",
    },
  ];

function grantsOf(config: Config): Map<string, Grant> {
  return new Map(manifests.map(({ name, permissions }) => [name, permissions(config)]));
}

/** Whether a folder or file of one is the other's or below it. */
function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

describe("the grant rule", () => {
  for (const { what, controls, portOffset } of configs) {
    it(`holds for every component with ${what}`, () => {
      assertEquals(breaches(manifests, defaultConfig(home, portOffset ?? 0, controls)), []);
    });
  }

  for (const { what, grant, startedBy, want } of table) {
    it(`is broken by one who ${what}`, () => {
      const bad = manifest(grant, { startedBy: startedBy ?? "supervisor" });
      assertEquals(breaches([manifest({}), bad], defaultConfig(home, 0)), [...want]);
    });
  }

  it("is broken by what a program may do for an account's home as well", () => {
    const forHome = {
      account: (_config: Config, userHome: string): Grant => ({ write: [userHome], connect: ["127.0.0.1:25"] }),
    };
    const [said = "", ...more] = breaches([manifest({}, { forHome })], defaultConfig(home, 0));
    assertEquals([said.startsWith("bad: reaches the network and may write "), more], [true, []]);
  });

  for (const { what, grant, startedBy } of allowed) {
    it(`allows ${what}`, () => {
      assertEquals(breaches([manifest(grant, { startedBy: startedBy ?? "supervisor" })], defaultConfig(home, 0)), []);
    });
  }
});

describe("every pair of components", () => {
  const grants = grantsOf(defaultConfig(home, 0));
  const pairs = [...grants].flatMap(([a, grantA]) =>
    [...grants].filter(([b]) => a !== b).map(([b, grantB]) => ({ a, grantA, b, grantB }))
  );

  it("shares a folder to write only where one removes what the other made", () => {
    const shared = pairs.flatMap(({ a, grantA, b, grantB }) =>
      (grantA.write ?? []).filter((path) => (grantB.write ?? []).some((other) => overlap(path, other)))
        .map((path) => `${a} ${b} ${path}`)
    );
    const want = ["mess", "intd", "todo", "options"].flatMap((dir) => [
      `qmail-queue qmail-clean /h/queue/${dir}`,
      `qmail-clean qmail-queue /h/queue/${dir}`,
    ]);
    want.push("qmail-local qmail-pop3d /h/mail", "qmail-pop3d qmail-local /h/mail");
    assertEquals(shared.sort(), want.sort());
  });

  it("has one of them make a socket that the other calls", () => {
    for (const socket of socketNames) {
      const servers = [...grants].filter(([, grant]) => grant.serves?.includes(socket)).map(([name]) => name);
      assertEquals(servers.length, 1, `${socket} is made by ${servers.join(", ")}`);
    }
    const callsOwn = [...grants].filter(([, grant]) => grant.calls?.some((socket) => grant.serves?.includes(socket)));
    assertEquals(callsOwn.map(([name]) => name), []);
  });

  it("has no access to the supervisor's own socket, which takes orders", () => {
    for (const [name, grant] of grants) assert(!grant.calls?.includes("supervisor"), name);
  });

  it("leaves control files to those who only read them", () => {
    for (const [name, grant] of grants) {
      const writable = (grant.write ?? []).filter((path) => overlap(path, "/h/control"));
      assertEquals(writable, [], name);
    }
  });

  it("lets nobody write where another's program may come from", () => {
    for (const [name, grant] of grants) {
      const writable = (grant.write ?? []).filter((path) => overlap(path, home.libexec()));
      assertEquals(writable, name === "supervisor" ? [home.libexec("grants")] : [], name);
    }
  });

  it("separates who reaches the network from who handles the queue's and the mailboxes' files", () => {
    const faces = (grant: Grant) => (grant.listen ?? []).length + (grant.connect ?? []).length > 0;
    const files = (grant: Grant) =>
      [...grant.read ?? [], ...grant.write ?? []].filter((path) =>
        ["/h/queue", "/h/mail", "/h/users"].some((dir) => overlap(path, dir))
      );
    const facing = [...grants].filter(([, grant]) => faces(grant)).map(([name]) => name);
    const servers = ["qmail-popup", "qmail-qmqpd", "qmail-qmtpd", "qmail-smtpd"];
    assertEquals(facing.sort(), ["admin", "dial6", "mta-sts", "qmail-remote", "resolver", "rspamd", ...servers].sort());
    for (const name of facing) assertEquals(files(grants.get(name)!), [], name);
  });

  it("lets an address be listened on by one of them alone", () => {
    const both = pairs.flatMap(({ a, grantA, b, grantB }) =>
      (grantA.listen ?? []).filter((at) => !at.endsWith(":0") && grantB.listen?.includes(at)).map((at) =>
        `${a} ${b} ${at}`
      )
    );
    assertEquals(both, []);
  });
});
