/**
 * A process that runs a fenced child until it is killed: `fence-child PLACE WORD`, where PLACE is a `FencePlace` as JSON. The child leaves a
 * process outside of its group and session; both have WORD in their command lines. It prints a line once both run.
 */
import { type FencePlace, runFenced } from "./fence-rig.ts";

const [place = "{}", word = ""] = process.argv.slice(2);
const script = "(setsid sh -c 'while :; do sleep 1; done' \"$1\" &); echo up; while :; do sleep 1; done";
await runFenced(JSON.parse(place) as FencePlace, ["sh", "-c", script, "sh", word], { onOutput: (text) => process.stdout.write(text) });
