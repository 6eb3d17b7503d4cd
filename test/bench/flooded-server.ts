import { startGatehouse } from "../support/gatehouse.ts";
import { requireJwtPolicies } from "./check-requests.ts";

/** Gatehouse standalone with the policy of the benchmark and fetched keys. Takes the URL of the keys, prints the port of ext_authz. */
const [jwksUri = ""] = process.argv.slice(2);
const inline = requireJwtPolicies("");
const gatehouse = await startGatehouse({ policies: inline.replace(/jwks: .*/, `jwksUri: ${jwksUri}`) });
process.stdout.write(`${gatehouse.checkPort}\n`);
process.once("SIGTERM", () => void gatehouse.stop().then(() => process.exit(0)));
