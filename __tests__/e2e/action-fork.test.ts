/** The manifest of a fork's pull request: read from the base commit through the REST API or one fetch, never by git in the checkout. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gitRemote, type Remote } from "../rig/actions/remote.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitServer, startGitServer } from "../rig/github/git-server.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

const manifest = (word: string) => `
pipeline:
  name: ${word}-pipeline
  steps:
    - id: say
      persona: say
      handover:
        contract: { type: json_schema, schema: shape.json }
      artifacts: [out]
personas:
  say: { command: 'echo "[\\"${word}\\"]" > $WAVE_OUTPUT_DIR/out.json' }
`;

let github: GitHubServer;
const opened: GitServer[] = [];
const directories: string[] = [];

beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  github.faults.splice(0);
  github.requests.splice(0);
  delete github.state.treeLimit;
});
afterEach(async () => {
  expect(github.invalid.splice(0)).toEqual([]);
  for (const server of opened.splice(0)) await server.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

interface Fork {
  readonly remote: Remote;
  readonly server: GitServer;
  readonly base: string;
  readonly head: string;
  /** Git's words and working directory for each call that the job made. */
  git(): readonly { readonly words: string; readonly cwd: string }[];
  job(request?: Partial<JobRequest>): Promise<JobResult>;
}

/** A pull request that replaces the manifest and its schema, in the directory `app`. */
async function fork(changes: Readonly<Record<string, string | undefined>> = {}): Promise<Fork> {
  const remote = gitRemote();
  const base = remote.commit("main", {
    "wave.yaml": manifest("root"),
    "shape.json": "true",
    "app/wave.yaml": manifest("base"),
    "app/shape.json": '{ "const": ["base"] }',
    "app/src/a.js": "1;\n",
  });
  const head = remote.commit("feature", { "app/wave.yaml": manifest("fork"), "app/shape.json": "true", ...changes }, "main");
  const server = await startGitServer(remote.directory);
  opened.push(server);
  github.state.repository = remote.directory;
  const shim = loggingGit();
  const event = {
    pull_request: {
      number: 7,
      head: { sha: head, repo: { full_name: "stranger/demo" } },
      base: { sha: base, ref: "main", repo: { full_name: "octo/demo" } },
      user: { login: "stranger" },
    },
  };
  return {
    ...{ remote, server, base, head },
    git: shim.calls,
    job: ({ inputs, env, ...more } = {}) =>
      runJob({
        ...{ workspace: remote.checkout(head), sha: head, eventName: "pull_request", event, actor: "stranger", ref: "refs/pull/7/merge" },
        ...{ apiUrl: github.url, serverUrl: server.url },
        env: { PATH: `${shim.directory}:${process.env["PATH"]}`, ...env },
        inputs: { "working-directory": "app", checks: "none", cache: "false", artifacts: "false", ...inputs },
        ...more,
      }),
  };
}

/** A `git` that notes each call before it runs the real one. */
function loggingGit() {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-git-"));
  directories.push(directory);
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const log = path.join(directory, "calls");
  writeFileSync(path.join(directory, "git"), `#!/bin/sh\nprintf '%s\\t%s\\n' "$PWD" "$*" >> '${log}'\nexec '${real}' "$@"\n`);
  chmodSync(path.join(directory, "git"), 0o755);
  const calls = () =>
    (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []).map((line) => {
      const [cwd = "", words = ""] = line.split("\t");
      return { cwd, words };
    });
  return { directory, calls };
}

const objectCommands = /(?:^| )(?:fetch|cat-file|ls-tree|show|archive|rev-list)(?: |$)/;
const operations = () => github.requests.map(({ operation }) => operation);
const withoutToken = { "github-token": "" };

describe.each([
  ["through the REST API", {}],
  ["by one fetch, without a token", withoutToken],
])("the base's manifest, %s", (_how, token) => {
  it.each(["run", "plan", "validate"])("is used by `%s`, in a subdirectory of a shallow clone", async (command) => {
    const { job } = await fork(command === "validate" ? { "app/wave.yaml": "not: [a, manifest" } : {});
    const result = await job({ inputs: { ...token, command } });
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    if (command === "run") expect(result.log).toContain("base-pipeline");
    if (command === "plan") expect(result.outputs["plan"]).toContain('"base-pipeline"');
    expect(result.log).not.toContain("fork-pipeline");
  });

  it("is found although the pull request removes or renames it", async () => {
    const { job } = await fork({ "app/wave.yaml": undefined, "app/wave.yml": manifest("fork"), "wave.yaml": manifest("fork") });
    const result = await job({ inputs: { ...token, command: "run" } });
    expect({ code: result.code, log: result.log }).toMatchObject({ code: 0, log: expect.stringContaining("base-pipeline") });
  });

  it("is read on a partial clone without an object command of git in the checkout", async () => {
    const { job, git, remote, head } = await fork();
    const workspace = remote.checkout(head, "--filter=blob:none");
    const result = await job({ workspace, inputs: { ...token, command: "plan" } });
    expect(result.code).toBe(0);
    expect(git().filter(({ cwd, words }) => cwd.startsWith(workspace) && objectCommands.test(words))).toEqual([]);
    const fetches = git().filter(({ words }) => / fetch /.test(words));
    expect(fetches).toHaveLength("github-token" in token ? 1 : 0);
    if (!("github-token" in token)) expect(operations().filter((name) => name === "git/get-tree")).toHaveLength(2);
  });

  it("runs no program that the checkout's or the account's git configuration names", async () => {
    const { job, remote, head } = await fork();
    const workspace = remote.checkout(head);
    const home = mkdtempSync(path.join(tmpdir(), "wave-home-"));
    directories.push(home);
    const mark = path.join(home, "ran");
    const config = [
      `[credential]\n\thelper = "!touch ${mark}; :"`,
      `[core]\n\taskPass = "touch ${mark}"\n\tsshCommand = "touch ${mark}; :"\n\tgitProxy = "touch ${mark}"`,
      `[url "ext::touch ${mark}"]\n\tinsteadOf = http`,
      `[remote "origin"]\n\turl = "ext::touch ${mark}"\n\tuploadpack = "touch ${mark}; :"`,
      '[protocol "ext"]\n\tallow = always',
    ].join("\n");
    for (const file of [path.join(home, ".gitconfig"), path.join(workspace, ".git/config")])
      writeFileSync(file, `${config}\n`, { flag: "a" });
    const result = await job({ workspace, env: { HOME: home }, inputs: { ...token, command: "plan" } });
    expect(result.code).toBe(0);
    expect(result.outputs["plan"]).toContain('"base-pipeline"');
    expect(existsSync(mark)).toBe(false);
  });

  it("is the one of the same directory, although the pull request turns that into a submodule", async () => {
    const { job, remote, head } = await fork();
    const workspace = remote.checkout(head);
    writeFileSync(path.join(workspace, "app/.git"), "gitdir: ../.git/modules/app\n");
    const result = await job({ workspace, inputs: { ...token, command: "plan" } });
    expect(result.outputs["plan"]).toContain('"base-pipeline"');
  });
});

describe("a directory of the checkout behind a symbolic link", () => {
  it.each(["..", "../.."])("is refused if it leads to `%s`", async (target) => {
    const { job, remote, head } = await fork();
    const workspace = remote.checkout(head);
    rmSync(path.join(workspace, "app"), { recursive: true });
    mkdirSync(path.join(workspace, "sub"));
    symlinkSync(target, path.join(workspace, "app"));
    const result = await job({ workspace, inputs: { command: "plan" } });
    expect(result.code).toBe(2);
    expect(result.annotations.map(({ message }) => message).join()).toMatch(/is outside the checkout|behind a symbolic link/);
  });
});

describe("the objects of the base commit", () => {
  it("are listed by directory if GitHub truncates the tree", async () => {
    const { job } = await fork();
    github.state.treeLimit = 1;
    const result = await job({ inputs: { command: "run" } });
    expect({ code: result.code, log: result.log }).toMatchObject({ code: 0, log: expect.stringContaining("base-pipeline") });
  });

  it("are read file by file, each once, and only those that the manifest names", async () => {
    const { job } = await fork();
    await job({ inputs: { command: "plan" } });
    expect(operations().filter((name) => name === "git/get-blob")).toHaveLength(2);
  });

  it.each([
    ["git/get-tree", 404, "Not Found", "give the job `contents: read`; if it has that, the commit no longer exists"],
    ["git/get-blob", 403, "Resource not accessible by integration", "give the job `contents: read`"],
    ["git/get-blob", 429, "API rate limit exceeded", "run the job again later"],
  ])("fail the job with the reason if %s is answered with %i", async (operation, status, message, hint) => {
    const { job } = await fork();
    github.faults.push({ operation, status, message, ...(status === 429 ? { headers: { "retry-after": "3600" } } : {}) });
    const result = await job({ inputs: { command: "run" } });
    expect({ code: result.code, status: result.outputs["status"] }).toEqual({ code: 1, status: "error" });
    expect(result.annotations.filter(({ level }) => level === "error").map((one) => one.message)).toEqual([
      expect.stringMatching(new RegExp(`^wave could not read .* of a commit \\(HTTP ${status} from GitHub\\)\\. .*${hint}`)),
    ]);
    expect(result.log).not.toContain("persist-credentials");
    expect(result.log).not.toContain("fork-pipeline");
  });

  it.each([
    [401, "set `github-token`"],
    [503, "run the job again"],
  ])("name a way out if the fetch is answered with %i", async (status, hint) => {
    const { job, server } = await fork();
    server.refuseWith = status;
    const result = await job({ inputs: { ...withoutToken, command: "run" } });
    expect(result.code).toBe(1);
    expect(result.annotations.map(({ message }) => message).join()).toMatch(new RegExp(`wave could not fetch commit .*${hint}`));
    expect(server.requests.length).toBeGreaterThan(0);
  });

  it("are never fetched from another scheme or place than the runner's", async () => {
    const { job, remote } = await fork();
    for (const serverUrl of [`file://${path.dirname(remote.directory)}`, "http://example.com", "https://a:b@example.com", "ext::sh"]) {
      const result = await job({ serverUrl, inputs: { ...withoutToken, command: "plan" } });
      expect({ serverUrl, code: result.code }).toEqual({ serverUrl, code: 2 });
      expect(result.annotations.map(({ message }) => message).join()).toContain("GITHUB_SERVER_URL is not the https address of a server");
    }
  });
});
