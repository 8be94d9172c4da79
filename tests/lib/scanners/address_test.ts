import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  formatScannerAddress,
  parseScannerAddress,
  type ScannerAddress,
  scannerGrant,
} from "../../../components/lib/scanners/address.ts";

const rows: readonly { readonly input: string; readonly want: ScannerAddress | undefined }[] = [
  { input: "127.0.0.1:3310", want: { kind: "tcp", host: "127.0.0.1", port: 3310 } },
  { input: "192.0.2.7:11333", want: { kind: "tcp", host: "192.0.2.7", port: 11333 } },
  { input: "[::1]:8891", want: { kind: "tcp", host: "::1", port: 8891 } },
  { input: "unix:/run/clamav/clamd.ctl", want: { kind: "unix", path: "/run/clamav/clamd.ctl" } },
  { input: "", want: undefined },
  { input: "127.0.0.1", want: undefined },
  { input: "127.0.0.1:0", want: undefined },
  { input: "127.0.0.1:65536", want: undefined },
  { input: "::1:8891", want: undefined },
  { input: "[localhost]:8891", want: undefined },
  // A name would have to be looked up by somebody who may not.
  { input: "localhost:3310", want: undefined },
  { input: "unix:run/clamd", want: undefined },
  { input: "unix:/run/../etc/shadow", want: undefined },
  { input: "unix:/run/a,/etc", want: undefined },
  { input: "unix:/run/a b", want: undefined },
  { input: `unix:/${"x".repeat(107)}`, want: undefined },
  { input: "/run/clamd", want: undefined },
  { input: "inet:8891@127.0.0.1", want: undefined },
];

describe("parseScannerAddress()", () => {
  for (const { input, want } of rows) {
    it(`${want === undefined ? "refuses" : "takes"} ${JSON.stringify(input).slice(0, 60)}`, () => {
      assertEquals(parseScannerAddress(input), want);
      if (want !== undefined) assertEquals(formatScannerAddress(want), input);
    });
  }

  it("becomes the right to connect there and to nothing else", () => {
    const addresses = rows.flatMap(({ want }) => want === undefined ? [] : [want]);
    assertEquals(scannerGrant([...addresses, addresses[0]!]), {
      connect: ["127.0.0.1:3310", "192.0.2.7:11333", "[::1]:8891"],
      callsPaths: ["/run/clamav/clamd.ctl"],
    });
    assertEquals(scannerGrant([]), {});
  });
});
