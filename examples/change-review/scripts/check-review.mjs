/**
 * The review's contract: it has its parts, its numbers are those of its inputs, its verdict follows from them, and no serious
 * finding is left out. Exits 1 and says on standard error what does not hold.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { readJsonInput, required } from "./step.mjs";

// In a table, a bar is escaped.
const review = readFileSync(path.join(required("WAVE_OUTPUT_DIR"), "review.md"), "utf8").replaceAll("\\|", "|");
const { totals } = readJsonInput("changes");
const { findings, summary } = readJsonInput("findings");
const { gaps } = readJsonInput("test-gaps");
const serious = findings.filter((finding) => finding.severity === "high").slice(0, 50);

const headings = review.split("\n").filter((line) => /^#{1,2} /.test(line));
const wanted = ["# Change review", "## What changed", "## Risks", "## Tests"];
const verdict = /^\*\*Verdict: (approved|comments|changes requested)\*\*$/m.exec(review)?.[1];
const expected = summary.high > 0 ? "changes requested" : findings.length + gaps.length > 0 ? "comments" : "approved";

const problems = [
  ...(headings.join() === wanted.join() ? [] : [`the headings are ${headings.join(", ")}; wanted ${wanted.join(", ")}`]),
  ...(verdict === expected ? [] : [`the verdict is ${verdict ?? "missing"}; what was found asks for ${expected}`]),
  ...(review.includes(`+${totals.added} -${totals.deleted}`) ? [] : ["it does not say how many lines changed"]),
  ...(review.includes(`${summary.high} high, ${summary.medium} medium, ${summary.low} low`)
    ? []
    : ["its count of risks is not that of the findings"]),
  ...serious
    .filter(({ file, line }) => !review.includes(`${file.replace(/\s+/g, " ")}:${line}`))
    .map(({ file, line }) => `it leaves out the finding at ${file}:${line}`),
];
for (const problem of problems) console.error(`review.md: ${problem}`);
if (problems.length === 0) console.log("the review has its parts and agrees with its inputs");
process.exitCode = problems.length === 0 ? 0 : 1;
