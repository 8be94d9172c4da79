import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { parseUserHomes } from "../../../components/lib/users/user_homes.ts";

describe("parseUserHomes()", () => {
  const rows: readonly { readonly file: string; readonly want: readonly string[] | "refused" }[] = [
    { file: "/home\n", want: ["/home"] },
    { file: "# where they are\n/home/\t\n\n/srv/users//\n", want: ["/home", "/srv/users"] },
    { file: "", want: [] },
    { file: "/\n", want: "refused" },
    { file: "home\n", want: "refused" },
    { file: "/home/../etc\n", want: "refused" },
    { file: "/home/./x\n", want: "refused" },
    { file: "/home//x\n", want: "refused" },
    { file: "/home,/etc\n", want: "refused" },
    { file: "/ho\x00me\n", want: "refused" },
    { file: " /home\n", want: "refused" },
  ];
  for (const { file, want } of rows) {
    it(JSON.stringify(file), () => {
      const parsed = parseUserHomes(file);
      assertEquals(parsed.ok ? parsed.value : "refused", want);
    });
  }
});
