import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { manifest } from "../../components/qmail-getpw/permissions.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { homeAt } from "../../config/home.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";

const home = homeAt("/q");
const controls = controlFilesOf("qmail-getpw").map((file) => `/q/control/${file}`);

describe("qmail-getpw's grant", () => {
  it("holds nothing of the system's accounts by default", () => {
    assertEquals(manifest.permissions(defaultConfig(home, 0)), {
      read: ["/q/users/passwd", "/q/users/cdb", "/q/alias", ...controls],
      serves: ["qmail-getpw"],
    });
  });

  it("holds /etc/passwd and the folders of homes where control/systemusers is 1, and keeps the rule", () => {
    const config = defaultConfig(home, 0, { systemusers: true, userhomes: ["/home", "/srv/users"] });
    const { read } = manifest.permissions(config);
    assertEquals(read?.filter((path) => !path.startsWith("/q/")), ["/etc/passwd", "/home", "/srv/users"]);
    assertEquals(breaches([manifest], config), []);
  });
});
