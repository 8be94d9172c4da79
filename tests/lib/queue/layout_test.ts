import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { homeAt } from "../../../config/home.ts";
import { parseQueueId, queueFile, queueFolder } from "../../../components/lib/queue/layout.ts";

const home = homeAt("/q");

describe("queueFile(), queueFolder()", () => {
  it("split mess, info, local and remote by the number's remainder of 23", () => {
    const split = ["mess", "info", "local", "remote"] as const;
    assertEquals(split.map((dir) => queueFile(home, dir, 2189625)), split.map((dir) => `/q/queue/${dir}/2/2189625`));
    assertEquals(queueFolder(home, "mess", 23), "/q/queue/mess/0");
  });

  it("split them by the home's own number", () => {
    const folders = [1, 7, 401].map((queueSplit) => queueFile(homeAt("/q", { queueSplit }), "info", 2189625));
    assertEquals(folders, ["/q/queue/info/0/2189625", "/q/queue/info/4/2189625", "/q/queue/info/165/2189625"]);
  });

  it("keep intd, todo and bounce flat", () => {
    const flat = ["intd", "todo", "bounce"] as const;
    assertEquals(flat.map((dir) => queueFile(home, dir, 2189625)), flat.map((dir) => `/q/queue/${dir}/2189625`));
  });
});

describe("parseQueueId()", () => {
  const rows = [
    { name: "1", want: 1 },
    { name: "2189625", want: 2189625 },
    { name: "999999999999999", want: 999999999999999 },
    ...["", "0", "01", "-1", "1.5", "1e3", "+1", " 1", "1 ", "0x1", ".", "..", "1000000000000000", "__proto__", "1\n"]
      .map((name) => ({ name, want: undefined })),
  ];
  for (const { name, want } of rows) {
    it(`${JSON.stringify(name)} ${want === undefined ? "is none" : "is one"}`, () => {
      assertEquals(parseQueueId(name), want);
    });
  }
});
