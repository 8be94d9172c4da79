import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { nameserversOf } from "../../config/nameservers.ts";

const own = { host: "192.0.2.1", port: 5353 };
const local = { host: "127.0.0.1", port: 53 };

describe("nameserversOf()", () => {
  const rows = [
    { claim: "prefers control/nameservers", control: [own], text: "nameserver 192.0.2.9\n", want: [own] },
    { claim: "asks each server once", control: [own, { ...own }, local], text: "", want: [own, local] },
    {
      claim: "reads resolv.conf",
      control: [],
      text: "nameserver 192.0.2.9\n",
      want: [{ host: "192.0.2.9", port: 53 }],
    },
    {
      claim: "takes blanks, a CR, IPv6 and a missing last line end",
      control: [],
      text: "search example\n nameserver\t 2001:DB8::1 \r\nnameserver 192.0.2.9",
      want: [{ host: "2001:db8::1", port: 53 }, { host: "192.0.2.9", port: 53 }],
    },
    {
      claim: "takes the first three",
      control: [],
      text: "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
      want: [1, 2, 3].map((last) => ({ host: `192.0.2.${last}`, port: 53 })),
    },
    {
      claim: "passes over comments, names and link-local addresses with an interface",
      control: [],
      text:
        "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver ns.example\nnameserver fe80::1%eth0\nnameserver\n",
      want: [local],
    },
    { claim: "asks this machine when nobody names a server", control: [], text: undefined, want: [local] },
  ];
  for (const { claim, control, text, want } of rows) {
    it(claim, () => assertEquals(nameserversOf({ nameservers: control }, text), want));
  }
});
