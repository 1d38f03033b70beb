/**
 * How much later an agent's first request reaches its model when wave starts it: Claude Code by itself, and the same words by a step, one after the other. The
 * model is a server of this script, which refuses the key, so that nothing is asked for. Needs Node, and Claude Code in the version that wave runs:
 *
 *     node bench/first-request.mjs PROGRAM [PAIRS]      10 pairs by default
 *
 * It measures and does not judge; the budget is printed beside it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { cli, here, median } from "./measure.mjs";

const program = process.argv[2];
const pairs = Number(process.argv[3] ?? 10);
if (program === undefined || !Number.isInteger(pairs) || pairs < 1) {
  console.error("usage: node bench/first-request.mjs PROGRAM [PAIRS]");
  process.exit(2);
}

let onRequest = () => {};
const server = createServer((request, response) => {
  if (request.url?.startsWith("/v1/messages")) onRequest(Date.now());
  response.writeHead(401, { "content-type": "application/json" });
  response.end(JSON.stringify({ type: "error", error: { type: "authentication_error", message: "no" } }));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
const project = path.join(scratch, "project");
mkdirSync(path.join(scratch, "bin"));
mkdirSync(project);
symlinkSync(path.resolve(program), path.join(scratch, "bin/claude"));
writeFileSync(
  path.join(project, "wave.yaml"),
  `secrets: [ANTHROPIC_API_KEY]\nadapters: { claude: { base_url: "${url}" } }\npipeline:\n  name: one\n  steps: [{ id: look, persona: navigator, adapter: claude, task: Look }]\n`,
);
const env = { PATH: `${scratch}/bin:${process.env.PATH}`, ANTHROPIC_API_KEY: "sk-none" };
const words = ["-p", "--output-format", "stream-json", "--verbose", "--setting-sources", "user", "--strict-mcp-config"];
const quiet = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_MAX_RETRIES: "0" };

/** Starts something, and gives when its first request came, and what it printed by then. */
async function firstRequest(command, argv, options) {
  const requested = new Promise((resolve) => {
    onRequest = resolve;
  });
  const began = Date.now();
  const child = spawn(command, argv, { stdio: ["pipe", "pipe", "ignore"], ...options });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  child.stdin.end("Look\n");
  const exited = new Promise((resolve) => child.on("close", resolve));
  const at = await Promise.race([requested, exited.then(() => Promise.reject(new Error(`${command} asked for nothing`)))]);
  await exited;
  return { began, at, printed };
}

try {
  const found = [];
  for (let pair = 0; pair < pairs; pair++) {
    const home = path.join(scratch, `home${pair}`);
    mkdirSync(home);
    const alone = await firstRequest(program, words, { cwd: project, env: { ...env, ...quiet, HOME: home, ANTHROPIC_BASE_URL: url } });
    rmSync(path.join(project, ".wave"), { recursive: true, force: true });
    const waved = await firstRequest(process.execPath, [cli, "run", "--json"], { cwd: project, env });
    const started = waved.printed.split("\n").find((line) => line.includes('"attempt-started"'));
    const attempt = Date.parse(JSON.parse(started ?? "{}").ts);
    found.push({
      alone: alone.at - alone.began,
      attempt: waved.at - attempt,
      whole: waved.at - waved.began,
    });
  }
  const of = (pick) => median(found.map(pick)).toFixed(0);
  console.log(`${pairs} pairs, medians; ${here}\n`);
  console.log(`by itself                    ${of((one) => one.alone)} ms from its start to its first request`);
  console.log(
    `by a step                    ${of((one) => one.attempt)} ms from the attempt's start: ${of((one) => one.attempt - one.alone)} ms later (at most 50 ms)`,
  );
  console.log(
    `by a run of that one step    ${of((one) => one.whole)} ms from wave's start: ${of((one) => one.whole - one.alone)} ms later`,
  );
} finally {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
}
