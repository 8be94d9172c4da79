import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defaultDmarcModes, dmarcModeFor, parseDmarcModes } from "../../../components/lib/mailauth/dmarc_file.ts";

function modes(text: string): string {
  const parsed = parseDmarcModes(text);
  if (!parsed.ok) return "error";
  return ["smtp", "lmtp", "custom"].map((way) => dmarcModeFor(parsed.value, way)).join(" ");
}

describe("parseDmarcModes()", () => {
  const rows = [
    ["", "tag tag tag"],
    ["enforce\n", "enforce enforce enforce"],
    ["smtp: enforce\n", "enforce tag tag"],
    ["# who\nsmtp: enforce\n\nlmtp:none\nnone\n", "enforce none none"],
    ["none\nsmtp: enforce", "enforce none none"],
    ["reject\n", "error"],
    ["smtp enforce\n", "error"],
    ["smtp: enforce\nsmtp: tag\n", "error"],
    ["tag\nnone\n", "error"],
    ["imap: tag\n", "error"],
    [": tag\n", "error"],
    ["__proto__: tag\n", "error"],
  ] as const;
  for (const [text, want] of rows) {
    it(`makes ${want} of ${JSON.stringify(text)}`, () => {
      assertEquals(modes(text), want);
    });
  }

  it("is tag where there is no file", () => {
    assertEquals(dmarcModeFor(defaultDmarcModes, "smtp"), "tag");
  });
});
