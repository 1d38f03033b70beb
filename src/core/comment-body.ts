/**
 * The body of a comment that Wave keeps up to date: a section for each workflow run's attempt, the newest one first and the others folded below it.
 * A section starts and ends with marks. No text of others contains a mark, so it cannot forge a section. Pure.
 */
import { cutPart, type Part, plainText, withoutMarks } from "../text/markdown.ts";

/** Workflow run ids grow with time, and a re-run keeps its id. */
export interface WorkflowAttempt {
  readonly workflowRun: number;
  readonly attempt: number;
}

export interface CommentSection extends WorkflowAttempt {
  /** Base64 state that jobs of a run pass to each other; empty if there is none. */
  readonly state: string;
  /** Markdown without marks. */
  readonly text: string;
}

/** GitHub accepts 65,536 characters; masking of secrets can lengthen a text. */
export const longestComment = 65_000;
/** Maximum characters of one folded text and of all together, and their number. */
const folded = { text: 8_000, all: 24_000, count: 3 } as const;

/** Positive if `a` is newer than `b`, 0 if both are the same attempt. A re-run of an older workflow run is older. */
export function compareAttempts(a: WorkflowAttempt, b: WorkflowAttempt): number {
  return a.workflowRun - b.workflowRun || a.attempt - b.attempt;
}

/** The mark in the first line of a comment. Text further down may quote one. */
export function commentMark(key: string): string {
  return `<!-- wave:${key.replaceAll(/[^A-Za-z0-9._:-]/g, "_")} -->`;
}

export function hasMark(body: string, key: string): boolean {
  return /^.*/.exec(body)?.[0] === commentMark(key);
}

const section =
  /^<!-- wave:attempt (\d{1,15})\.(\d{1,9}) -->\n(?:<!-- wave:state ([A-Za-z0-9+/=]*) -->\n)?([\s\S]*?)\n<!-- wave:end -->$/gm;
const details = /^<details><summary>[^\n]*<\/summary>\n\n([\s\S]*)\n\n<\/details>$/;

/** The sections of a comment, the newest first. Text that someone wrote between or below them is not kept. */
export function readSections(body: string): readonly CommentSection[] {
  // An editor in a browser sends CR LF.
  const found = [...body.replaceAll("\r\n", "\n").matchAll(section)].map(([, workflowRun, attempt, state = "", text = ""], index) => ({
    workflowRun: Number(workflowRun),
    attempt: Number(attempt),
    state,
    text: index === 0 ? text : (details.exec(text)?.[1] ?? text),
  }));
  return found.sort((a, b) => compareAttempts(b, a));
}

/**
 * The sections with `own` in place of the one of the same attempt; newer ones are never replaced. Keeps earlier
 * attempts only with `history`. At most four sections, one of which is `own`.
 */
export function withSection(known: readonly CommentSection[], own: CommentSection, history: boolean): readonly CommentSection[] {
  const others = known.filter((one) => compareAttempts(one, own) !== 0 && (history || compareAttempts(one, own) > 0));
  const kept = others.slice(0, folded.count);
  return [...kept, own].sort((a, b) => compareAttempts(b, a));
}

/** The body, at most `longestComment` characters. Cuts or omits folded sections first, starting with the oldest. */
export function commentBody(key: string, [newest, ...older]: readonly CommentSection[]): string {
  const lines = [commentMark(key), ...(newest === undefined ? [] : sectionLines(newest, newest.text))];
  let remaining = Math.min(folded.all, longestComment - lines.join("\n").length);
  for (const one of older) {
    const title =
      one.workflowRun === newest?.workflowRun ? `Attempt ${one.attempt}` : `Workflow run ${one.workflowRun}, attempt ${one.attempt}`;
    const open = `<details><summary>${plainText(title)}</summary>\n\n`;
    const close = "\n\n</details>";
    const space = Math.min(folded.text, remaining - sectionLines(one, open + close).join("\n").length - 1);
    if (space < 200) break;
    const text = sectionLines(one, `${open}${cutPart(foldedPart(one.text), space)}${close}`);
    lines.push(...text);
    remaining -= text.join("\n").length + 1;
  }
  return lines.join("\n");
}

function sectionLines({ workflowRun, attempt, state }: CommentSection, text: string): readonly string[] {
  return [
    `<!-- wave:attempt ${workflowRun}.${attempt} -->`,
    ...(state === "" ? [] : [`<!-- wave:state ${state} -->`]),
    withoutMarks(text),
    "<!-- wave:end -->",
  ];
}

function foldedPart(text: string): Part {
  return { lines: text.split("\n"), rest: () => "…" };
}
