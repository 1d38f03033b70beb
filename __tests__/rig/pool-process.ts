/** A process that uses a worker pool and then has nothing more to do: it ends only if an idle thread does not keep it alive. Takes the thread's script. */
import { pathToFileURL } from "node:url";
import { WorkerPool } from "../../src/platform/worker-pool.ts";

const [script = "", way] = process.argv.slice(2);
const pool = new WorkerPool({ script: pathToFileURL(script), timeMs: 1000, memoryBytes: 1e9 });
if (way === "warmed") pool.warm("echo");
if (way === "called") console.log(JSON.stringify(await pool.call("echo", 1)));
if (way === "stopped") console.log(JSON.stringify(await pool.call("spin", 1)));
console.log("done");
