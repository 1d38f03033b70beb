/** Reads a review as an agent writes it: `schema/review.schema.json`. Pure. What is wrong is said by its place, so that an agent can mend it. */

import { defined } from "../../core/defined.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Review, ReviewRemark } from "../../manifest/schema/review.ts";

/** What GitHub takes in one comment, with room for what wave adds. */
const longestBody = 60_000;
/** More remarks are refused by GitHub, and read by nobody. */
const mostRemarks = 300;

/** Fails with a sentence that names the place. */
export function readReview(text: string): Result<Review, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isMap(value)) return err("it has to be a map with `comments`");
  const unknown = Object.keys(value).find((key) => key !== "body" && key !== "comments");
  if (unknown !== undefined) return err(`\`${unknown}\` is not known`);
  const { body = "", comments } = value;
  if (typeof body !== "string" || body.length > longestBody) return err(`\`body\` has to be a text of at most ${longestBody} characters`);
  if (!Array.isArray(comments)) return err("`comments` has to be a list");
  if (comments.length > mostRemarks) return err(`\`comments\` has ${comments.length} entries; at most ${mostRemarks} can be published`);
  const remarks: ReviewRemark[] = [];
  for (const [index, comment] of comments.entries()) {
    const remark = readRemark(comment);
    if (!remark.ok) return err(`comments[${index}]: ${remark.error}`);
    remarks.push(remark.value);
  }
  return ok({ body, comments: remarks });
}

const keys = new Set(["path", "line", "start_line", "side", "body", "suggestion", "severity"]);

function readRemark(value: unknown): Result<ReviewRemark, string> {
  if (!isMap(value)) return err("it has to be a map");
  const unknown = Object.keys(value).find((key) => !keys.has(key));
  if (unknown !== undefined) return err(`\`${unknown}\` is not known`);
  const { path, line, start_line: startLine, side = "RIGHT", body, suggestion, severity } = value;
  if (typeof path !== "string" || path === "") return err("`path` has to be a file's path");
  if (!isLine(line)) return err("`line` has to be a whole number from 1");
  if (startLine !== undefined && (!isLine(startLine) || startLine > line))
    return err("`start_line` has to be a whole number from 1 to `line`");
  if (side !== "LEFT" && side !== "RIGHT") return err("`side` is LEFT or RIGHT");
  if (typeof body !== "string" || body === "" || body.length > longestBody)
    return err(`\`body\` has to be a text of 1 to ${longestBody} characters`);
  if (suggestion !== undefined && typeof suggestion !== "string") return err("`suggestion` has to be a text");
  if (severity !== undefined && severity !== "info" && severity !== "warning" && severity !== "error")
    return err("`severity` is info, warning or error");
  return ok({
    path,
    line,
    side,
    body,
    ...defined({ start_line: startLine, suggestion, severity }),
  });
}

function isLine(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
