import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { mainSettings } from "../../../../scripts/bench/peers/postfix.ts";

const plan = { dir: "/srv", users: 1, hold: false, relayPort: undefined };

describe("mainSettings()", () => {
  it("keep everything of Postfix's in its folder", () => {
    const settings = mainSettings("/srv/p", "hash:/srv/p/mailboxes", plan);
    const folders = ["queue_directory", "data_directory", "virtual_mailbox_base"].map((name) => settings[name]);
    assertEquals(folders, ["/srv/p/queue", "/srv/p/data", "/srv/p/mail"]);
    assertEquals([settings["alias_maps"], settings["inet_interfaces"]], ["", "127.0.0.1"]);
  });

  it("relay to the sink, and hold mail where they are told so", () => {
    const settings = mainSettings("/srv/p", "hash:/srv/p/mailboxes", { ...plan, hold: true, relayPort: 2600 });
    assertEquals(settings["relayhost"], "[127.0.0.1]:2600");
    assertEquals(settings["smtpd_data_restrictions"], "check_client_access static:HOLD");
  });

  it("let no mail out where there is no sink", () => {
    const settings = mainSettings("/srv/p", "hash:/srv/p/mailboxes", plan);
    assertEquals([settings["relayhost"], settings["default_transport"]], [
      undefined,
      "error:no mail leaves this machine",
    ]);
  });
});
