/** The variables that children see are those that the page on secrets lists. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { project, repository } from "../../rig/project.ts";
import { removeDirectory } from "../../rig/remove-directory.ts";

const page = readFileSync(path.join(repository, "docs/secrets.md"), "utf8");
const section = page.slice(page.indexOf("## What a child sees"), page.indexOf("## What is replaced"));
const rows = section.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));

/** The names that the page lists for a step, or for the command of a contract. */
function listed(column: "step" | "contract"): ReadonlySet<string> {
  const own = rows.map((row) => row.split("|")).filter((cells) => cells[column === "step" ? 2 : 3]?.trim() === "yes");
  const names = own.flatMap((cells) => cells[1]?.match(/[A-Z][A-Z_]{3,}/g) ?? []);
  const lower = names.filter((name) => name.endsWith("_PROXY")).map((name) => name.toLowerCase());
  // The shell that prints the list sets these for itself.
  return new Set([...names, ...lower, "PWD", "OLDPWD", "SHLVL", "_"]);
}

/** A home with a store of rustup, whose programs PATH leads to. */
let home = "";
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "wave-home-"));
  for (const directory of [".rustup/toolchains", ".cargo/bin"]) mkdirSync(path.join(home, directory), { recursive: true });
});
afterEach(() => removeDirectory(home));

const print = "env | cut -d= -f1";

/** The names that a step and its contract see, with a variable beside them that neither may see. */
async function seen(permissions: string, network: string) {
  const contract = `{ type: test_suite, command: "${print} >&2; false", on_failure: warn${network} }`;
  const wave = project({
    "wave.yaml": `secrets: [DECLARED, UNSET]
env: { OWN: value }
pipeline: { name: p, steps: [{ id: a, persona: s, task: x, artifacts: [names]${permissions}, handover: { contract: ${contract} } }] }
personas: { s: { adapter: command, command: [sh, -c, "${print} > $WAVE_OUTPUT_DIR/names"] } }
`,
  });
  execFileSync("git", ["init", "-q"], { cwd: wave.root });
  const PATH = `${path.join(home, ".cargo/bin")}:${process.env["PATH"]}`;
  const ended = await wave.start(["run"], {
    PATH,
    DECLARED: "a value of its own",
    UNDECLARED: "x",
    TRACEPARENT: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
  }).finished;
  expect(ended.code, ended.stderr).toBe(0);
  const directory = path.join(home, "artifacts");
  const saved = await wave.wave("artifacts", "latest", "--export", directory);
  const logs = await wave.wave("logs", "a");
  expect([saved.code, logs.code], saved.stderr + logs.stderr).toEqual([0, 0]);
  const step = readFileSync(path.join(directory, "a/names"), "utf8");
  return { step: step.trim().split("\n"), contract: logs.stdout.split("\n").filter((line) => /^[A-Za-z_]\w*$/.test(line)) };
}

describe.each([
  ["an open network", "", "", false],
  ["a restricted network", ', permissions: { allow: ["network_access:example.com:443"] }', ', network: ["example.com:443"]', true],
])("with %s", (_, permissions, network, isRestricted) => {
  test("a step and a contract see the variables that the page lists, and no others", async () => {
    const { step, contract } = await seen(permissions, network);
    const declared = ["OWN", "DECLARED"];
    expect(step.filter((name) => !listed("step").has(name) && !declared.includes(name))).toEqual([]);
    expect(contract.filter((name) => !listed("contract").has(name))).toEqual([]);
    const common = ["PATH", "HOME", "LANG", "TMPDIR", "RUSTUP_HOME", "WAVE_RUN_ID", "WAVE_STEP_ID", "WAVE_ATTEMPT", "WAVE_OUTPUT_DIR"];
    expect(step).toEqual(expect.arrayContaining([...common, ...declared, "WAVE_TASK_FILE", "TRACEPARENT"]));
    expect(contract).toEqual(expect.arrayContaining(common));
    expect([step, contract].map((names) => names.includes("HTTPS_PROXY"))).toEqual([isRestricted, isRestricted]);
  });
});

test("README and the page on contracts link to the list instead of repeating it", () => {
  const pages = ["README.md", "docs/contracts.md"].map((name) => readFileSync(path.join(repository, name), "utf8"));
  expect(pages.map((text) => text.includes("secrets.md#what-a-child-sees"))).toEqual([true, true]);
});
