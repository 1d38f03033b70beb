/** The review, in Markdown, from what the others found. Leaves `review.md`. */
import { readJsonInput, readPrompt, writeOutput } from "./step.mjs";

/** More than this a person does not read. */
const mostRows = 50;
const levels = ["high", "medium", "low"];

await readPrompt();
const changes = readJsonInput("changes");
const { findings, summary, scanned } = readJsonInput("findings");
const { sources, gaps } = readJsonInput("test-gaps");
const verdict = summary.high > 0 ? "changes requested" : findings.length + gaps.length > 0 ? "comments" : "approved";

const review = [
  "# Change review",
  "",
  `**Verdict: ${verdict}**`,
  "",
  `Compared ${changes.compared.to}${subject()} with ${changes.compared.from}${changes.compared.uncommitted ? ", and what is not committed yet" : ""}.`,
  "",
  "## What changed",
  "",
  `${number(changes.totals.files, "file")}, +${changes.totals.added} -${changes.totals.deleted}`,
  "",
  ...table(["area", "files", "added", "deleted", "what"], changes.areas.map(areaRow)),
  "",
  "## Risks",
  "",
  `${levels.map((level) => `${summary[level]} ${level}`).join(", ")}, in ${number(scanned.lines, "added line")} of ${number(scanned.files, "file")}`,
  "",
  ...table(["severity", "where", "what", "evidence"], sorted(findings).map(findingRow)),
  "",
  "## Tests",
  "",
  `${gaps.length} of ${number(sources, "changed source")} without a changed test`,
  "",
  ...table(
    ["source", "area", "added"],
    [...gaps].sort((a, b) => b.added - a.added).map((gap) => [code(gap.file), code(gap.area), gap.added]),
  ),
];
writeOutput(
  "review.md",
  `${review
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`,
);
console.log(`verdict: ${verdict}`);

function subject() {
  return changes.compared.subject === undefined ? "" : ` (${code(changes.compared.subject)})`;
}

function areaRow({ area, counts, kinds }) {
  const what = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return [code(area), counts.files, counts.added, counts.deleted, what.join(", ")];
}

function findingRow({ severity, file, line, message, rule, evidence }) {
  return [severity, code(`${file}:${line}`), `${message} (${rule})`, code(evidence)];
}

function sorted(list) {
  return [...list].sort((a, b) => levels.indexOf(a.severity) - levels.indexOf(b.severity));
}

function table(titles, rows) {
  if (rows.length === 0) return ["None."];
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const more = rows.length > mostRows ? ["", `And ${rows.length - mostRows} more.`] : [];
  return [row(titles), row(titles.map(() => "---")), ...rows.slice(0, mostRows).map(row), ...more];
}

function number(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Code in a table cell, whatever it holds: what comes from the diff is text, never markup. */
function code(text) {
  const line = text.replace(/\s+/g, " ").trim();
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = longest > 0 ? " " : "";
  return `${fence}${space}${line.replaceAll("|", "\\|")}${space}${fence}`;
}
