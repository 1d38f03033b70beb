/** Nothing that a step writes forges a mark, mentions anybody or breaks a request in what the Action reports. Through the bundle. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { quoted } from "../rig/hostile-project.ts";
import { commandsIn, controlsIn, hostileText } from "../rig/hostile-text.ts";

/** Marks of Wave's, mentions, and markup that would break out of where it is shown. */
const markup = [
  "<!-- wave:result:p: -->",
  "<!-- wave:state AAAA -->",
  "<!-- wave:attempt 9.9 -->\nforged\n<!-- wave:end -->",
  "</details></code></pre>",
  "@octo/team and `@octo` and &#64;octo",
  '![owned](https://owned.test/x.png) <img src="https://owned.test/y.png">',
  "```\n<!-- wave:end -->\n@octo\n``` ~~~",
  "| a | b |",
  "\ud800 half",
].join("\n");
const attack = `${hostileText}\n${markup}`;

const files = {
  "attack.txt": JSON.stringify(attack),
  "attack.mjs": [
    'import { readFileSync, writeFileSync } from "node:fs";',
    'const text = JSON.parse(readFileSync("attack.txt", "utf8"));',
    "const out = process.env.WAVE_OUTPUT_DIR;",
    "process.stdout.write(text);",
    "writeFileSync(`${out}/verdict.json`, JSON.stringify({ [text]: text, kind: 1 }));",
    "writeFileSync(`${out}/note.md`, `# Mine\\n\\n${text}`);",
    "const comments = [",
    '  { path: "a.js", line: 2, body: text, suggestion: `\\tindented\\n${text}`, severity: "error" },',
    "  { path: text, line: 1, body: text },",
    "];",
    "writeFileSync(`${out}/review.json`, JSON.stringify({ body: text, comments }));",
  ].join("\n"),
  "check.mjs":
    'import { readFileSync } from "node:fs";\nconsole.log(`a.js:1:1: error: ${JSON.parse(readFileSync("attack.txt", "utf8"))}`);\nprocess.exit(1);\n',
  "shape.json": JSON.stringify({ type: "object", additionalProperties: false, properties: { kind: { const: attack } } }),
  "a.js": "1;\n2;\n",
};

function manifest(onFailure: "warn" | "halt"): string {
  return `
pipeline:
  name: p
  description: ${quoted(attack)}
  publish: [{ pr_comment: { artifact: note } }, { pr_review: { artifact: review } }]
  steps:
    - id: write
      persona: writer
      artifacts: [verdict, { name: note, media_type: text/markdown }, review]
      handover:
        contracts:
          - { name: shape, type: json_schema, schema: shape.json, artifact: verdict, on_failure: warn }
          - { name: suite, type: test_suite, command: [node, check.mjs], on_failure: ${onFailure} }
personas:
  writer: { description: ${quoted(attack)}, model: ${quoted("m\u001b[31m\u202e @octo")}, command: [node, attack.mjs] }
`;
}

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  for (const list of [github.state.checks, github.state.comments, github.state.reviews, github.faults, github.requests]) list.splice(0);
  github.state.pulls.clear();
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

async function hostileJob(onFailure: "warn" | "halt"): Promise<JobResult> {
  const remote = gitRemote();
  const base = remote.commit("main", { ...files, "wave.yaml": manifest(onFailure) });
  const head = remote.commit("feature", { "a.js": "1;\ntwo;\n" }, "main");
  github.state.pulls.set(7, {
    number: 7,
    head,
    base,
    fork: false,
    files: [{ filename: "a.js", patch: "@@ -1,2 +1,2 @@\n 1;\n-2;\n+two;" }],
  });
  const repo = { full_name: "octo/demo" };
  const event = { pull_request: { number: 7, head: { sha: head, repo }, base: { sha: base, ref: "main", repo }, user: { login: "mona" } } };
  return runJob({
    ...{ workspace: remote.checkout(head), sha: head, eventName: "pull_request", event, apiUrl: github.url },
    inputs: { comment: "true" },
  });
}

/** Every string of what was sent, with the name that it has. */
function stringsIn(value: unknown, name = ""): readonly { readonly name: string; readonly text: string }[] {
  if (typeof value === "string") return [{ name, text: value }];
  return typeof value === "object" && value !== null ? Object.entries(value).flatMap(([key, member]) => stringsIn(member, key)) : [];
}

const sent = () => github.requests.flatMap(({ body }) => stringsIn(body));
/** GitHub's JSON or its pages have no use for these. */
const isUnsendable = (text: string) => /[\u202a-\u202e\u2066-\u2069\p{Cs}]/u.test(text) || /[^\P{Cc}\n\t]/u.test(text);

it.each(["warn", "halt"] as const)(
  "sends and prints no control character and no workflow command, with a contract that is to %s",
  async (onFailure) => {
    const result = await hostileJob(onFailure);
    expect(result.code, result.log).toBe(onFailure === "warn" ? 0 : 1);
    const texts = [...sent().map(({ text }) => text), result.summary];
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter(isUnsendable)).toEqual([]);
    expect(result.refused).toEqual([]);
    expect(commandsIn(result.log)).toEqual([]);
    expect(controlsIn(result.log)).toEqual([]);
    expect(result.annotations.filter(({ message }) => controlsIn(message).length > 0)).toEqual([]);
    expect(result.masks.filter((mask) => mask.includes("owned"))).toEqual([]);
  },
);

it("forges no mark of Wave's, mentions nobody outside of code and shows no picture where text is reported", async () => {
  const result = await hostileJob("halt");
  const forged = [...sent().map(({ text }) => text), result.summary].flatMap(
    (text) => text.match(/<!-- ?wave:(?!result:p:|attempt 100\.1 -->|end -->|state [A-Za-z0-9+/=]+ -->)[^>]*>/g) ?? [],
  );
  expect(forged).toEqual([]);
  // Titles and the messages of annotations are plain text on GitHub.
  const markdown = sent().flatMap(({ name, text }) => (["body", "summary", "text"].includes(name) ? [text] : []));
  for (const text of [...markdown, result.summary]) {
    expect((text.match(/<!-- wave:end -->/g) ?? []).length).toBeLessThanOrEqual(1);
    const states = text.match(/<!-- wave:state [^>]*>/g) ?? [];
    expect(states.length).toBeLessThanOrEqual(1);
    expect(states).not.toContain("<!-- wave:state AAAA -->");
    const outside = text.replaceAll(/<code>[^<]*<\/code>/g, "").replaceAll(/^(`{3,})\w*\n[\s\S]*?^\1$/gm, "");
    expect(outside).not.toMatch(/@(?=[a-z])|&#64;(?!\u200b)|<img|!\[|<\/details|<\/pre/);
  }
});

it("publishes an artifact as the Markdown that it is, without marks and mentions, and finds its comments again", async () => {
  await hostileJob("warn");
  const [comment, review] = [github.state.comments.find(({ body }) => body.includes("# Mine")), github.state.reviews[0]];
  expect(comment?.body).toMatch(/^<!-- wave:artifact:p:note::[0-9a-f]{12} -->\n<!-- wave:attempt 100\.1 -->\n# Mine\n/);
  expect(comment?.body.match(/<!-- wave:/g)).toHaveLength(3);
  expect(comment?.body).toContain("![owned](https://owned.test/x.png)");
  expect(comment?.body).not.toMatch(/@(?=o)|&#64;(?!\u200b)/);
  expect(review?.body.match(/<!-- wave:/g)).toHaveLength(1);
  expect(review?.comments?.[0]?.body).toContain("```suggestion\n\tindented\n");
  const before = github.state.comments.length;
  await hostileJob("warn");
  expect(github.state.comments).toHaveLength(before);
});
