import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { isHostName, isQueryName } from "../../../components/lib/dns/name.ts";

const label63 = "a".repeat(63);
const name253 = `${label63}.${label63}.${label63}.${"a".repeat(61)}`;

const rows = [
  { name: "example", query: true, host: true },
  { name: "mx-1.b_c.example", query: true, host: true },
  { name: `${label63}.example`, query: true, host: true },
  { name: name253, query: true, host: true },
  { name: "0/25.2.0.192.in-addr.arpa", query: true, host: false },
  { name: "amy+tag=x._spf.example", query: true, host: false },
  { name: "a;b.example", query: true, host: false },
  { name: "", query: false, host: false },
  { name: ".", query: false, host: false },
  { name: "example.", query: false, host: false },
  { name: ".example", query: false, host: false },
  { name: "a..example", query: false, host: false },
  { name: `a${label63}.example`, query: false, host: false },
  { name: `${name253}a`, query: false, host: false },
  { name: "a b.example", query: true, host: false },
  { name: "a\tb.example", query: false, host: false },
  { name: "a\0b.example", query: false, host: false },
  { name: "a\nb.example", query: false, host: false },
  { name: "\u00e4.example", query: false, host: false },
  { name: "\u212a.example", query: false, host: false },
];

describe("isQueryName(), isHostName()", () => {
  for (const { name, query, host } of rows) {
    it(`${JSON.stringify(name.slice(0, 40))} ${query ? "can" : "cannot"} be asked for and ${host ? "may" : "may not"} be a host`, () => {
      assertEquals({ query: isQueryName(name), host: isHostName(name) }, { query, host });
    });
  }
});
