import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Domain } from "../../../components/lib/address/mailbox.ts";
import { formatMailbox } from "../../../components/lib/address/mailbox.ts";
import { parseCommand } from "../../../components/lib/smtp/command.ts";
import { withoutOwnLiteral } from "../../../components/lib/smtp/own_literal.ts";

const four = "192.0.2.1";
const six = "2001:db8::1";

/** The domain that a recipient, and a sender, is at for the server. */
function domainsOf(domain: string, address: string | undefined): string[] {
  const here = { host: "me.example" as Domain, address: () => address };
  return [`RCPT TO:<amy@${domain}>`, `MAIL FROM:<amy@${domain}>`].map((line) => {
    const command = withoutOwnLiteral(parseCommand(line), here);
    const path = command.verb === "RCPT"
      ? command.forwardPath
      : command.verb === "MAIL"
      ? command.reversePath
      : undefined;
    return path?.kind === "mailbox" ? formatMailbox(path.mailbox).replace("amy@", "") : command.verb;
  });
}

describe("withoutOwnLiteral()", () => {
  const rows: readonly { domain: string; address: string | undefined; want: string }[] = [
    { domain: `[${four}]`, address: four, want: "me.example" },
    { domain: `[${four}]`, address: `::ffff:${four}`, want: "me.example" },
    { domain: `[IPv6:${six}]`, address: six, want: "me.example" },
    { domain: "[ipv6:2001:DB8:0:0::1]", address: six, want: "me.example" },
    { domain: "[192.0.2.2]", address: four, want: "[192.0.2.2]" },
    { domain: `[IPv6:${six}]`, address: four, want: `[IPv6:${six}]` },
    { domain: `[${four}]`, address: undefined, want: `[${four}]` },
    { domain: "a.example", address: four, want: "a.example" },
  ];
  for (const { domain, address, want } of rows) {
    it(`makes ${want} of ${domain} for who has come to ${address}`, () => {
      assertEquals(domainsOf(domain, address), [want, want]);
    });
  }

  it("leaves other commands and paths without a domain as they are", () => {
    const here = { host: "me.example" as Domain, address: () => four };
    for (const line of ["MAIL FROM:<>", "RCPT TO:<postmaster>", "DATA", "nonsense"]) {
      const command = parseCommand(line);
      assertEquals(withoutOwnLiteral(command, here), command);
    }
  });
});
