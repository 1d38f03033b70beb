/**
 * A process that runs a fenced child until it is killed: `sandboxed-child PLACE WORD`, where PLACE is a `SandboxPlace` as JSON. The child leaves a
 * process outside of its group and session; both have WORD in their command lines. It prints a line once both run.
 */
import { runSandboxed, type SandboxPlace } from "./sandbox-rig.ts";

const [place = "{}", word = ""] = process.argv.slice(2);
const script = "(setsid sh -c 'while :; do sleep 1; done' \"$1\" &); echo up; while :; do sleep 1; done";
await runSandboxed(JSON.parse(place) as SandboxPlace, ["sh", "-c", script, "sh", word], { onOutput: (text) => process.stdout.write(text) });
