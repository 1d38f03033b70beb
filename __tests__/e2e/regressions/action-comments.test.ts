/** Comments that jobs write on a pull request: which result they show, what stays of the others, and how much of it fits. */
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JobRequest } from "../../rig/actions/runner.ts";
import { openPullRequest } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  for (const list of [github.state.checks, github.state.comments, github.state.reviews, github.faults, github.requests]) list.splice(0);
  github.state.pulls.clear();
  github.hold = undefined;
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

/** Something to wait for, and what ends the wait. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const comments = () => github.state.comments.map(({ body }) => body);
/** The part of the comment that is not folded. */
const shown = () => comments()[0]?.split("<!-- wave:end -->")[0] ?? "";
const folded = () => comments()[0]?.split("<!-- wave:end -->").slice(1).join("") ?? "";

describe("a result of an older workflow run", () => {
  const manifest = (publish = "") => `
pipeline: { name: p, steps: [{ id: a, persona: s, task: x, artifacts: [note], handover: { contract: { type: test_suite, command: ['true'] } } }]${publish} }
personas: { s: { adapter: command, command: "sh step.sh" } }
`;
  const step = (text: string, code: number) => `echo "${text}" > $WAVE_OUTPUT_DIR/note.md; exit ${code}\n`;

  /** Push 1 fails, push 2 passes; then the workflow run of push 1 runs again. */
  async function twoPushes(inputs: Readonly<Record<string, string>>, publish = "", first = 1) {
    const files = { "wave.yaml": manifest(publish), "step.sh": step("one", first) };
    const one = openPullRequest(github, files);
    await one.job({ inputs, runId: 100 });
    const two = openPullRequest(github, { ...files, "step.sh": step("two", 0) });
    await two.job({ inputs, runId: 101 });
    await one.job({ inputs, runId: 100, attempt: 2 });
    return { one: one.head.slice(0, 12), two: two.head.slice(0, 12) };
  }

  test("is folded below the newer one, and each names its commit", async () => {
    const { one, two } = await twoPushes({ comment: "true" });
    expect(comments()).toHaveLength(1);
    expect(shown()).toContain("### p&#58; the step passed");
    expect(shown()).toContain(`Commit <code>${two}</code>`);
    expect(folded()).toMatch(/<summary>Workflow run 100, attempt 2<\/summary>[\s\S]*<summary>Workflow run 100, attempt 1<\/summary>/);
    expect(folded()).toContain(`Commit <code>${one}</code>`);
    const checked = github.state.checks.map(({ head_sha, output }) =>
      output.summary.includes(`commit <code>${head_sha.slice(0, 12)}</code>`),
    );
    expect(checked).toEqual([true, true, true, true, true, true]);
  });

  test("does not replace the comment that a newer one published", async () => {
    await twoPushes({}, ", publish: [{ pr_comment: { artifact: note } }]", 0);
    expect(comments()).toHaveLength(1);
    expect(shown()).toContain("\ntwo\n");
    expect(folded()).toMatch(/<summary>Workflow run 100, attempt 2<\/summary>\n\none\n/);
  });

  test("is kept with at most three others", async () => {
    const { job } = openPullRequest(github, { "wave.yaml": manifest(), "step.sh": step("x", 0) });
    for (const runId of [105, 101, 104, 102, 103, 100]) await job({ runId, inputs: { comment: "true" } });
    const older = [...folded().matchAll(/<summary>Workflow run (\d+), attempt 1</g)].map(([, run]) => run);
    expect(older).toEqual(["104", "103", "100"]);
  });
});

describe("jobs that share a run", () => {
  const manifest = `
pipeline: { name: p, steps: [{ id: docs, persona: docs, task: x }, { id: lint, persona: lint, task: x }] }
personas:
  docs: { adapter: command, command: "sh docs.sh" }
  lint: { adapter: command, command: "sh lint.sh" }
`;
  const files = { "wave.yaml": manifest, "docs.sh": "echo 'docs are wrong <!-- wave:end -->'; exit 1\n", "lint.sh": "exit 0\n" };
  const part = (job: string, more: Partial<JobRequest> = {}) => ({ job, ...more, inputs: { comment: "true", steps: job } });

  test("show a failure of another job in the comment, the summary and the check", async () => {
    const { job } = openPullRequest(github, files);
    expect((await job(part("docs"))).code).toBe(1);
    const lint = await job(part("lint"));
    expect(lint.code).toBe(0);
    expect(comments()).toHaveLength(1);
    const check = github.state.checks.find(({ name }) => name === "wave / p (lint)");
    expect(check?.conclusion).toBe("success");
    for (const text of [shown(), lint.summary, `${check?.output.title}${check?.output.summary}`]) {
      expect(text).toMatch(/1 of 2 steps passed, docs failed/);
      expect(text).toMatch(/❌ <code>docs<\/code>[^\n]*\n\| ✅ <code>lint<\/code>/);
    }
    expect(shown()).toContain("docs are wrong");
  });

  test("replace their own result when they run again", async () => {
    const pull = openPullRequest(github, files);
    await pull.job(part("docs"));
    await pull.job(part("lint"));
    const fixed = pull.remote.checkout(pull.remote.commit("fix", { "docs.sh": "exit 0\n" }, "feature"));
    await pull.job({ ...part("docs"), attempt: 2, workspace: fixed });
    expect(shown()).toContain("### p&#58; all 2 steps passed");
    expect(shown()).toContain("✅ <code>lint</code>");
    expect(folded()).toContain("<summary>Attempt 1</summary>\n\n### p&#58; 1 of 2 steps passed, docs failed");
  });

  test("keep both results when one writes over the other", async () => {
    const { job } = openPullRequest(github, files);
    await job(part("docs", { runId: 99 }));
    github.requests.splice(0);
    // Both read before either writes.
    const bothRead = gate();
    github.hold = (operation, count) => {
      if (operation !== "issues/update-comment") return undefined;
      if (count === 2) bothRead.open();
      return bothRead.opened;
    };
    await Promise.all([job(part("docs")), job(part("lint"))]);
    expect(comments()).toHaveLength(1);
    expect(shown()).toContain("1 of 2 steps passed, docs failed");
    expect(shown()).toContain("✅ <code>lint</code>");
  });

  test("keep both results when one writes over the other after that one was read again", async () => {
    const { job } = openPullRequest(github, files);
    await job(part("docs", { runId: 99 }));
    github.requests.splice(0);
    const [bothRead, firstReadAgain] = [gate(), gate()];
    github.hold = (operation, count) => {
      if (operation === "issues/list-comments" && count === 5) setImmediate(firstReadAgain.open);
      if (operation !== "issues/update-comment" || count > 2) return undefined;
      if (count === 2) bothRead.open();
      return count === 1 ? bothRead.opened : firstReadAgain.opened;
    };
    await Promise.all([job(part("docs")), job(part("lint"))]);
    expect(shown()).toContain("1 of 2 steps passed, docs failed");
    expect(shown()).toContain("✅ <code>lint</code>");
  });

  test("leave one comment with both results when each has created one", async () => {
    const { job } = openPullRequest(github, files);
    const bothCreate = gate();
    github.hold = (operation, count) => {
      if (operation !== "issues/create-comment") return undefined;
      if (count === 2) bothCreate.open();
      return bothCreate.opened;
    };
    await Promise.all([job(part("docs")), job(part("lint"))]);
    expect(github.requests.filter(({ operation }) => operation === "issues/create-comment")).toHaveLength(2);
    expect(comments()).toHaveLength(1);
    expect(shown()).toContain("1 of 2 steps passed, docs failed");
    expect(shown()).toContain("✅ <code>lint</code>");
  });

  test("write the comment again when someone damaged it", async () => {
    const { job } = openPullRequest(github, files);
    await job(part("docs"));
    const [comment] = github.state.comments;
    if (comment !== undefined) comment.body = `${comment.body.replace(/(wave:state )\S+/, "$1AAAA")}\r\nedited`.replaceAll("\n", "\r\n");
    await job(part("lint"));
    expect(shown()).toContain("### p&#58; 1 of 2 steps passed");
    expect(comments()).toHaveLength(1);
  });
});

describe("a long artifact", () => {
  const manifest = `
pipeline: { name: p, publish: [{ pr_comment: { artifact: note } }], steps: [{ id: a, persona: s, task: x, artifacts: [note] }] }
personas: { s: { adapter: command, command: "cp note.txt $WAVE_OUTPUT_DIR/note.md" } }
`;
  const fence = "`".repeat(3);

  test.each([
    [
      "shows most of a long line",
      `# Findings\n\n${"word ".repeat(20_000)}`,
      /^# Findings\n\n(?:word ){12000,}\n\n… and \d+ more characters/,
    ],
    ["ends a fence", `${fence}\n${"code\n".repeat(20_000)}`, /\ncode\n```\n\n… and \d+ more characters/],
    ["ends details", `<details>\n\n${"text\n".repeat(20_000)}`, /\ntext\n\n<\/details>\n\n… and \d+ more characters/],
    ["ends a fence in details", `<details>\n\n${fence}\n${"y".repeat(90_000)}`, /y\n```\n\n<\/details>\n\n… and \d+ more characters/],
    ["is whole if GitHub takes it", "z".repeat(64_000), /^z{64000}\n\nCommit/],
  ])("%s in its comment", async (_, note, expected) => {
    expect((await openPullRequest(github, { "wave.yaml": manifest, "note.txt": note }).job()).code).toBe(0);
    const [body = ""] = comments();
    expect(body.split("\n").slice(2).join("\n")).toMatch(expected);
    expect(body).toMatch(/\n\nCommit <code>\w+<\/code>\n<!-- wave:end -->$/);
    expect(body.length).toBeGreaterThan(60_000);
  });
});

describe("a path in a report", () => {
  const manifest = `
pipeline: { name: p, publish: [{ pr_review: { artifact: review } }], steps: [{ id: a, persona: s, task: x, artifacts: [review], handover: { contract: { name: t, type: test_suite, on_failure: warn, command: [sh, check.sh] } } }] }
personas: { s: { adapter: command, command: "sed s:TOP:$PWD/..: review.txt > $WAVE_OUTPUT_DIR/review.json" } }
`;
  const patch = "@@ -1 +1 @@\n-1;\n+2;";

  /** A job on a project in `web`, with a review that names a file as `named`. */
  async function review(named: string, patched = "web/src/a.js") {
    const files = {
      "web/wave.yaml": manifest,
      "web/check.sh": "echo src/a.js:1:1: error: bad; exit 1\n",
      "web/src/a.js": "1;\n",
      "web/review.txt": JSON.stringify({ comments: [{ path: named, line: 1, body: "Look." }] }),
    };
    const pull = openPullRequest(github, files, { "web/src/a.js": "2;\n" }, { patches: [{ filename: patched, patch }] });
    const place = pull.remote.checkout(pull.head);
    const workspace = path.dirname(place);
    const result = await pull.job({ workspace, inputs: { "working-directory": `${path.basename(place)}/web` } });
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    return github.state.reviews[0]?.comments.map(({ path: file }) => file);
  }

  test("of an annotation is relative to the repository, wherever that is checked out", async () => {
    await review("src/a.js");
    const check = github.state.checks.find(({ name }) => name.includes("a: t"));
    expect(new Set(check?.annotations.map((one) => one.path))).toEqual(new Set(["web/wave.yaml", "web/src/a.js"]));
  });

  test.each([
    ["the project", "src/a.js"],
    ["the project, with a dot", "./src/a.js"],
    ["the repository", "web/src/a.js"],
    ["the root of the machine", "TOP/web/src/a.js"],
  ])("of a remark may be relative to %s", async (_, named) => {
    expect(await review(named)).toEqual(["web/src/a.js"]);
  });

  test("of a remark means the file that the diff has", async () => {
    expect(await review("src/a.js", "src/a.js")).toEqual(["src/a.js"]);
  });
});

describe("the output `artifacts`", () => {
  test("lists each artifact of a name that several steps have", async () => {
    const manifest = `
pipeline: { name: p, steps: [{ id: linux, persona: s, task: x, artifacts: [report] }, { id: windows, persona: s, task: x, artifacts: [report, log] }] }
personas: { s: { adapter: command, command: "for n in report log; do echo $WAVE_STEP_ID > $WAVE_OUTPUT_DIR/$n.txt; done" } }
`;
    const result = await openPullRequest(github, { "wave.yaml": manifest }).job();
    const artifacts = JSON.parse(result.outputs["artifacts"] ?? "") as Record<string, { step: string }>;
    expect(Object.entries(artifacts).map(([key, { step }]) => [key, step])).toEqual([
      ["linux/report", "linux"],
      ["report", "windows"],
      ["windows/report", "windows"],
      ["log", "windows"],
    ]);
  });
});
