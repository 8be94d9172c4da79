import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HttpResponseReader, type HttpResult } from "../../../components/lib/sts/http_response.ts";

const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

/** The result for octets that come in these pieces; the server closes behind them. */
function read(pieces: readonly string[]): HttpResult {
  const reader = new HttpResponseReader();
  for (const piece of pieces) {
    const result = reader.push(piece);
    if (result !== undefined) return result;
  }
  return reader.end();
}

const rows: readonly { readonly octets: string; readonly want: string | undefined }[] = [
  { octets: `${head}Content-Length: 5\r\n\r\nhello`, want: "hello" },
  { octets: `${head}Content-Length: 5\r\n\r\nhello and more`, want: "hello" },
  { octets: `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, want: "hello" },
  { octets: `${head}\r\nhello`, want: "hello" },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n`, want: "hello" },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n05\r\nhello\r\n0\r\nX: y\r\n\r\n`, want: "hello" },
  { octets: "HTTP/1.0 200\nCONTENT-TYPE: Text/Plain; charset=utf-8\n\nhello", want: "hello" },
  { octets: `HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${head}\r\nhello`, want: "hello" },
  { octets: `${head}Content-Length: 0\r\n\r\n`, want: "" },
  { octets: `${head}Content-Length: 65536\r\n\r\n${"x".repeat(65_536)}`, want: "x".repeat(65_536) },
  // Cut off.
  { octets: `${head}Content-Length: 6\r\n\r\nhello`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, want: undefined },
  { octets: `${head}Content-Length: 5`, want: undefined },
  { octets: "", want: undefined },
  // Lengths nobody can be sure of.
  { octets: `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, want: undefined },
  { octets: `${head}Content-Length: -5\r\n\r\nhello`, want: undefined },
  { octets: `${head}Content-Length: 5, 5\r\n\r\nhello`, want: undefined },
  { octets: `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, want: undefined },
  { octets: `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello!!0\r\n\r\n`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\nfffffffff\r\nhello`, want: undefined },
  // Too long.
  { octets: `${head}Content-Length: 65537\r\n\r\n`, want: undefined },
  { octets: `${head}Content-Length: 10000000\r\n\r\n`, want: undefined },
  { octets: `${head}\r\n${"x".repeat(65_537)}`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n10001\r\n`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(2000)}`, want: undefined },
  { octets: `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${"X: y\r\n".repeat(4000)}\r\n`, want: undefined },
  { octets: `${head}${"X: y\r\n".repeat(4000)}\r\nhello`, want: undefined },
  { octets: `${head}X: ${"y".repeat(20_000)}`, want: undefined },
  { octets: `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(20)}${head}\r\nhello`, want: undefined },
  // Other answers.
  { octets: "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\n\r\n", want: undefined },
  { octets: "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\nversion: STSv1", want: undefined },
  { octets: "HTTP/1.1 206 Part\r\nContent-Type: text/plain\r\n\r\nhello", want: undefined },
  { octets: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello", want: undefined },
  { octets: "HTTP/1.1 200 OK\r\nContent-Type: text/plainer\r\n\r\nhello", want: undefined },
  { octets: "HTTP/1.1 200 OK\r\n\r\nhello", want: undefined },
  { octets: `${head}Content-Encoding: gzip\r\n\r\nhello`, want: undefined },
  { octets: `${head}no field\r\n\r\nhello`, want: undefined },
  { octets: `${head} folded\r\n\r\nhello`, want: undefined },
  { octets: "HTTP/2 200\r\nContent-Type: text/plain\r\n\r\nhello", want: undefined },
  { octets: "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", want: undefined },
  { octets: "\x16\x03\x01\0\0".repeat(4000), want: undefined },
];

describe("HttpResponseReader (RFC 9112)", () => {
  for (const { octets, want } of rows) {
    it(`${want === undefined ? "refuses" : "reads"} ${JSON.stringify(octets).slice(0, 120)}`, () => {
      const result = read([octets]);
      assertEquals(result.kind === "text" ? result.text : undefined, want);
    });
  }

  it("says the same wherever the octets are cut", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    fc.assert(fc.property(fc.constantFrom(...rows), cuts, ({ octets, want }, cuts) => {
      const pieces: string[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(octets.slice(at, at += cut));
      const result = read([...pieces, octets.slice(at)]);
      assertEquals(result.kind === "text" ? result.text : undefined, want);
    }));
  });

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (pieces) => {
      read([head, ...pieces]);
    }));
  });
});
