/**
 * `npm run test:act`: the dogfood workflow on nektos/act, a runner that nobody here wrote, without Docker. It needs act 0.2.89 or later on PATH or in Go's
 * bin directory, and nothing else. The last line is `N passed, N failed`.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const act = findAct();
if (act === undefined) {
  console.error("act is not installed: `go install github.com/nektos/act@latest` (Go 1.25 or later)");
  process.exit(4);
}

/** Job → its exit status, and what its log has to say. */
const jobs = [
  ["change-review", 0, [/set-output:: status=passed/, /set-output:: resumed=false/, /risks.*"attempts":2/, /Post \.\//]],
  ["fails-first", 1, [/set-output:: status=failed/, /"build":\{"status":"passed"/, /"deploy":\{"status":"failed"/, /Post \.\//]],
];
const scratch = await mkdtemp(path.join(tmpdir(), "wave-act-"));
let failed = 0;
try {
  const clone = path.join(scratch, "clone");
  execFileSync("git", ["clone", "--quiet", root, clone]);
  for (const [job, wanted, said] of jobs) {
    const { code, log } = await run(job, clone);
    const missing = said.filter((pattern) => !pattern.test(log)).map(String);
    const passed = code === wanted && missing.length === 0;
    console.log(`${passed ? "ok    " : "failed"}  ${job}`);
    if (passed) continue;
    failed += 1;
    console.log(`        exit ${code}, ${wanted} was wanted; not in its log: ${missing.join(", ")}\n${log.replace(/^/gm, "        ")}`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
console.log(`${jobs.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function findAct() {
  const places = [
    ...(process.env.PATH ?? "").split(path.delimiter),
    process.env.GOBIN ?? "",
    path.join(process.env.GOPATH ?? path.join(homedir(), "go"), "bin"),
  ];
  return places
    .filter((place) => place !== "")
    .map((place) => path.join(place, "act"))
    .find((file) => existsSync(file));
}

function run(job, cwd) {
  const words = ["workflow_dispatch", "-W", ".github/workflows/dogfood.yml", "-P", "ubuntu-24.04=-self-hosted", "-j", job];
  return new Promise((resolve) => {
    const child = spawn(act, words, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: 300_000 });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));
    child.on("close", (code) => resolve({ code, log }));
  });
}
