/**
 * Secrets and risky patterns in the added lines. Leaves `findings.json`.
 *
 * It stands in for an agent that does its work and does not know its contract: on its own it writes down what it found and
 * where, and not how bad that is. `contracts/findings.schema.json` asks for `severity` and `summary`, so the first attempt
 * fails. Nothing here counts attempts: the program adds what is missing only because the feedback in its next prompt names it.
 */
import { addedLines } from "./patch.mjs";
import { rules } from "./risk-rules.mjs";
import { feedbackIn, readInput, readJsonInput, readPrompt, writeOutput } from "./step.mjs";

const levels = ["high", "medium", "low"];
const longestEvidence = 160;

/** A property that a violation may name as missing → how the report gets it. */
const lessons = {
  severity: (report) => ({ ...report, findings: report.findings.map((finding) => ({ ...finding, severity: severityOf(finding) })) }),
  summary: (report) => ({
    ...report,
    summary: Object.fromEntries(levels.map((level) => [level, report.findings.filter((finding) => severityOf(finding) === level).length])),
  }),
};

const feedback = feedbackIn(await readPrompt());
const kinds = new Map(readJsonInput("changes").files.map((file) => [file.path, file.kind]));
const lines = addedLines(readInput("patch"));
const draft = {
  scanned: { files: new Set(lines.map((line) => line.file)).size, lines: lines.length },
  findings: lines.flatMap(findingsIn),
};

const learned = Object.keys(lessons).filter((property) => new RegExp(`\\b${property}\\b`).test(feedback));
writeOutput(
  "findings.json",
  learned.reduce((report, property) => lessons[property](report), draft),
);
console.log(`${draft.findings.length} findings in ${draft.scanned.lines} added lines of ${draft.scanned.files} files`);
if (learned.length > 0) console.log(`the contract asked for ${learned.join(" and ")}: added`);

function findingsIn({ file, line, text }) {
  return rules.flatMap(({ rule, category, pattern, message, in: files }) => {
    const match = (files ?? /^/).test(file) ? pattern.exec(text) : null;
    return match === null ? [] : [{ rule, category, file, line, message, evidence: evidenceOf(text, match) }];
  });
}

/** The line around the match, short, with every secret in it masked. */
function evidenceOf(text, match) {
  const start = Math.max(0, match.index - 40);
  const stretch = mask(text).slice(start).trim();
  return stretch.length > longestEvidence ? `${stretch.slice(0, longestEvidence - 1)}…` : stretch;
}

function mask(text) {
  const secrets = rules.map(({ pattern }) => pattern.exec(text)?.groups?.secret).filter((secret) => secret !== undefined);
  return secrets.reduce(
    (masked, secret) => masked.replaceAll(secret, `${secret.slice(0, 4)}${"*".repeat(Math.min(12, secret.length - 4))}`),
    text,
  );
}

/** A test may hold made-up secrets and patterns on purpose, and prose may show them: they weigh one level less there. */
function severityOf({ rule, file }) {
  const { severity } = rules.find((known) => known.rule === rule);
  const weight = levels.indexOf(severity) + (["test", "docs"].includes(kinds.get(file)) ? 1 : 0);
  return levels[Math.min(weight, levels.length - 1)];
}
