/**
 * What changed, by area: the last commit against its parent, and what is not committed yet. A first commit, or the oldest one
 * of a shallow clone, has no parent here: then everything in it counts as added.
 *
 * Leaves `changes.json` and `patch.diff`. The patch has no context lines, and leaves generated and binary files out.
 */
import { ask, git, parts, workingFile } from "./git.mjs";
import { quotedPath } from "./patch.mjs";
import { readPrompt, writeOutput } from "./step.mjs";

/** Larger files are counted, but not read line by line. */
const patchLimit = 1 << 20;

await readPrompt();
const head = ask("rev-parse", "--verify", "--quiet", "HEAD");
const parent = head === undefined ? undefined : ask("rev-parse", "--verify", "--quiet", "HEAD^");
const from = parent ?? emptyTree();
const untracked = parts(git("ls-files", "-z", "--others", "--exclude-standard"));
const uncommitted = untracked.length > 0 || head === undefined || git("diff", "--name-only", "-z", "HEAD") !== "";

const tracked = trackedChanges();
const generated = generatedAmong([...tracked.map((file) => file.path), ...untracked]);
const added = untracked.map(untrackedChange).filter((file) => file !== undefined);
const files = [...tracked, ...added.map(({ text: _, ...file }) => file)].map(describe).sort((a, b) => (a.path < b.path ? -1 : 1));

const patched = new Set(files.filter((file) => file.inPatch).map((file) => file.path));
const patch =
  trackedPatch() +
  added
    .filter((file) => patched.has(file.path))
    .map(newFilePatch)
    .join("");

writeOutput("changes.json", { compared: compared(), totals: countsOf(files), areas: areas(), files });
writeOutput("patch.diff", patch);
const { files: count, added: plus, deleted: minus } = countsOf(files);
console.log(`${count} files changed since ${compared().from}: +${plus} -${minus}`);

function emptyTree() {
  // Both hash formats of git have one of their own.
  const sha256 = ask("rev-parse", "--show-object-format") === "sha256";
  return sha256 ? "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321" : "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
}

function compared() {
  const shallow = ask("rev-parse", "--is-shallow-repository") === "true";
  const nothing = shallow ? "nothing (this shallow clone ends here)" : "nothing (there is no earlier commit)";
  const to = head === undefined ? "the working tree" : head.slice(0, 12);
  const subject = head === undefined ? {} : { subject: git("log", "-1", "--format=%s").trim() };
  return { from: parent?.slice(0, 12) ?? nothing, to, ...subject, uncommitted };
}

/** Files that git knows: the tree at `from` against the working tree, so that uncommitted changes count too. */
function trackedChanges() {
  const changes = new Map();
  const status = parts(git("diff", "--no-ext-diff", "--name-status", "-M", "-z", from));
  while (status.length > 0) {
    const letter = status.shift()[0];
    const before = letter === "R" ? status.shift() : undefined;
    const change = { A: "added", D: "deleted", R: "renamed" }[letter] ?? "changed";
    const path = status.shift();
    changes.set(path, { path, ...(before === undefined ? {} : { before }), change, added: 0, deleted: 0, binary: false });
  }
  const numbers = parts(git("diff", "--no-ext-diff", "--no-textconv", "--numstat", "-M", "-z", from));
  while (numbers.length > 0) {
    const [plus, minus, name] = numbers.shift().split("\t");
    // A rename's two paths follow in parts of their own; the second is the new one.
    const path = name === "" ? numbers.splice(0, 2)[1] : name;
    Object.assign(changes.get(path) ?? {}, { added: Number(plus) || 0, deleted: Number(minus) || 0, binary: plus === "-" });
  }
  return [...changes.values()];
}

function untrackedChange(path) {
  const bytes = workingFile(path);
  if (bytes === undefined) return undefined;
  const binary = bytes.subarray(0, 8000).includes(0);
  const text = binary ? "" : bytes.toString("utf8");
  return { path, change: "added", added: linesOf(text).length, deleted: 0, binary, text };
}

function describe({ binary, ...file }) {
  const kind = kindOf(file.path, binary);
  const small = (workingFile(file.path)?.length ?? 0) <= patchLimit;
  return { ...file, area: areaOf(file.path), kind, inPatch: kind !== "generated" && kind !== "binary" && small };
}

/** Files that the repository's attributes call generated, and lockfiles. */
function generatedAmong(paths) {
  const found = new Set(
    paths.filter((path) =>
      /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|go\.sum|poetry\.lock|uv\.lock)$/.test(
        path,
      ),
    ),
  );
  // A few hundred at a time: a command line has an end.
  for (let at = 0; at < paths.length; at += 200) {
    const answers = parts(git("check-attr", "-z", "linguist-generated", "--", ...paths.slice(at, at + 200)));
    for (let n = 0; n + 2 < answers.length; n += 3) if (["set", "true"].includes(answers[n + 2])) found.add(answers[n]);
  }
  return found;
}

function kindOf(path, binary) {
  if (generated.has(path)) return "generated";
  if (binary) return "binary";
  if (/(?:^|\/)(?:__tests__|tests?|spec)\/|[._-](?:test|spec)\.[^/.]+$|(?:^|\/)test_[^/]+$/i.test(path)) return "test";
  if (/\.(?:md|mdx|rst|adoc|txt)$|(?:^|\/)(?:LICENSE|NOTICE|COPYING)$/i.test(path)) return "docs";
  if (/\.(?:[cm]?[jt]sx?|go|rs|py|rb|java|kt|swift|c|h|cc|cpp|hpp|cs|php|sh|bash|ps1|sql|vue|svelte|css|scss|html)$/i.test(path))
    return "source";
  return "config";
}

/** The first directory; one more under `src`, where a first directory says little. */
function areaOf(path) {
  const directories = path.split("/").slice(0, -1);
  if (directories.length === 0) return "(root)";
  return directories.slice(0, directories[0] === "src" ? 2 : 1).join("/");
}

function areas() {
  const groups = new Map();
  for (const file of files) groups.set(file.area, [...(groups.get(file.area) ?? []), file]);
  return [...groups]
    .map(([area, members]) => ({ area, counts: countsOf(members), kinds: kindsOf(members) }))
    .sort((a, b) => b.counts.added + b.counts.deleted - a.counts.added - a.counts.deleted || (a.area < b.area ? -1 : 1));
}

function kindsOf(members) {
  const kinds = {};
  for (const { kind } of members) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

function countsOf(members) {
  const sum = (key) => members.reduce((total, file) => total + file[key], 0);
  return { files: members.length, added: sum("added"), deleted: sum("deleted") };
}

function trackedPatch() {
  const options = ["--no-ext-diff", "--no-textconv", "--no-color", "-M", "--src-prefix=a/", "--dst-prefix=b/", "--unified=0"];
  const changed = tracked.filter((file) => patched.has(file.path) && file.change !== "deleted");
  let text = "";
  for (let at = 0; at < changed.length; at += 200) {
    // A renamed file is compared with what it was, so both of its paths are named.
    const paths = changed.slice(at, at + 200).flatMap((file) => (file.before === undefined ? [file.path] : [file.before, file.path]));
    text += git("diff", ...options, from, "--", ...paths.map((path) => `:(literal)${path}`));
  }
  return text;
}

function newFilePatch({ path, text }) {
  const lines = linesOf(text);
  if (lines.length === 0) return "";
  const head = ["new file", "--- /dev/null", `+++ ${quotedPath(`b/${path}`)}`, `@@ -0,0 +1,${lines.length} @@`];
  return [...head, ...lines.map((line) => `+${line}`), ""].join("\n");
}

function linesOf(text) {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
