import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { flagsOf, type Grant, netAddress, type Rights, rightsOf } from "../../../components/lib/permissions/grant.ts";
import { homeAt } from "../../../config/home.ts";

const home = homeAt("/h");
const nothing: Rights = { read: [], write: [], net: [], run: [], sys: [], env: [] };

const rightsTable: readonly { readonly what: string; readonly grant: Grant; readonly want: Partial<Rights> }[] = [
  { what: "nothing for an empty grant", grant: {}, want: {} },
  {
    what: "files apart by reading and writing",
    grant: { read: ["/h/control/me"], write: ["/h/queue/pid"] },
    want: { read: ["/h/control/me"], write: ["/h/queue/pid"] },
  },
  {
    what: "addresses to listen on before those to connect to",
    grant: { connect: ["0.0.0.0/0:25"], listen: ["127.0.0.1:2525"] },
    want: { net: ["127.0.0.1:2525", "0.0.0.0/0:25"] },
  },
  {
    what: "read, write and net for a socket it makes",
    grant: { serves: ["resolver"] },
    want: { read: ["/h/run/resolver/s"], write: ["/h/run/resolver/s"], net: ["unix:/h/run/resolver/s"] },
  },
  {
    what: "the same for a socket it calls",
    grant: { calls: ["qmail-send"] },
    want: {
      read: ["/h/run/qmail-send/s"],
      write: ["/h/run/qmail-send/s"],
      net: ["unix:/h/run/qmail-send/s"],
    },
  },
  {
    what: "the same for a socket of other software",
    grant: { callsPaths: ["/run/dovecot/lmtp"] },
    want: { read: ["/run/dovecot/lmtp"], write: ["/run/dovecot/lmtp"], net: ["unix:/run/dovecot/lmtp"] },
  },
  {
    what: "programs and names of the system as they are",
    grant: { run: ["/h/libexec/launch/qmail-local"], sys: ["networkInterfaces"], env: ["NODE_V8_COVERAGE"] },
    want: { run: ["/h/libexec/launch/qmail-local"], sys: ["networkInterfaces"], env: ["NODE_V8_COVERAGE"] },
  },
];

const flagsTable: readonly { readonly what: string; readonly grant: Grant; readonly want: readonly string[] }[] = [
  { what: "no flag at all for an empty grant", grant: {}, want: [] },
  { what: "no flag for an empty list", grant: { read: [], write: [], connect: [], run: [], sys: [] }, want: [] },
  {
    what: "one flag a kind, in one order",
    grant: {
      env: ["A", "B"],
      sys: ["hostname"],
      run: ["/p"],
      connect: ["127.0.0.1:53"],
      write: ["/w"],
      read: ["/r", "/s"],
    },
    want: [
      "--allow-read=/r,/s",
      "--allow-write=/w",
      "--allow-net=127.0.0.1:53",
      "--allow-run=/p",
      "--allow-sys=hostname",
      "--allow-env=A,B",
    ],
  },
  {
    what: "each path once",
    grant: { read: ["/r", "/r"], serves: ["resolver"], calls: ["resolver"] },
    want: [
      "--allow-read=/r,/h/run/resolver/s",
      "--allow-write=/h/run/resolver/s",
      "--allow-net=unix:/h/run/resolver/s",
    ],
  },
  {
    what: "setgid and setuid as all but the others",
    grant: { sys: ["setgid", "setuid"] },
    want: [
      "--allow-sys",
      "--deny-sys=hostname,osRelease,osUptime,loadavg,networkInterfaces,systemMemoryInfo,uid,gid,cpus,username," +
      "userInfo,homedir,getegid,getPriority,setPriority,statfs",
    ],
  },
  {
    what: "a name beside setuid is not denied",
    grant: { sys: ["hostname", "setuid"] },
    want: [
      "--allow-sys",
      "--deny-sys=osRelease,osUptime,loadavg,networkInterfaces,systemMemoryInfo,uid,gid,cpus,username," +
      "userInfo,homedir,getegid,getPriority,setPriority,statfs",
    ],
  },
];

const addressTable = [
  { endpoint: { host: "127.0.0.1", port: 25 }, want: "127.0.0.1:25" },
  { endpoint: { host: "::1", port: 0 }, want: "[::1]:0" },
  { endpoint: { host: "0.0.0.0/0", port: 25 }, want: "0.0.0.0/0:25" },
  { endpoint: { host: "relay.example", port: 587 }, want: "relay.example:587" },
] as const;

describe("rightsOf()", () => {
  for (const { what, grant, want } of rightsTable) {
    it(`gives ${what}`, () => assertEquals(rightsOf(grant, home), { ...nothing, ...want }));
  }
});

describe("flagsOf()", () => {
  for (const { what, grant, want } of flagsTable) {
    it(`writes ${what}`, () => assertEquals(flagsOf(grant, home), [...want]));
  }

  it("writes no flag that grants everything of a kind but sys", () => {
    const grant: Grant = { read: ["/r"], write: ["/w"], connect: ["127.0.0.1:1"], run: ["/p"], sys: ["setuid"] };
    const bare = flagsOf(grant, home).filter((flag) => !flag.includes("="));
    assertEquals(bare, ["--allow-sys"]);
  });
});

describe("netAddress()", () => {
  for (const { endpoint, want } of addressTable) {
    it(`writes ${want}`, () => assertEquals(netAddress(endpoint), want));
  }
});
