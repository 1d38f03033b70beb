/** A process that says who it is, and waits to be killed. */
import { processIdentity } from "../../src/platform/process-identity.ts";

process.stdout.write(`${JSON.stringify(processIdentity())}\n`);
setInterval(() => {}, 60_000);
