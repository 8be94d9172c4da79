/** Asks and tells in a process that was granted nothing: see sts_client_test.ts. @module */
import { StsClient } from "../../../components/lib/wire/sts_client.ts";
import { TlsrptClient } from "../../../components/lib/wire/tlsrpt_client.ts";
import { homeAt } from "../../../config/home.ts";

const home = homeAt("/nowhere");
const tlsrpt = new TlsrptClient(home);
tlsrpt.note({ domain: "x.example", policyType: "no-policy-found", policyStrings: [], mxHost: "", ip: "" });
console.log(JSON.stringify(await new StsClient(home).policy("x.example")), tlsrpt.isOn);
