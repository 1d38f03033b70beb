/** What a step's program needs of wave: its prompt, its inputs, and a place for its artifacts. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** The prompt, from standard input. */
export async function readPrompt() {
  let prompt = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) prompt += chunk;
  return prompt;
}

/** The section that tells a retried attempt what its predecessor got wrong; empty on a first attempt. */
export function feedbackIn(prompt) {
  const start = /^# Feedback on attempt\b.*$/m.exec(prompt);
  if (start === null) return "";
  const section = prompt.slice(start.index + start[0].length);
  const end = /^# /m.exec(section);
  return end === null ? section : section.slice(0, end.index);
}

/** An input's text. It lies in the inputs directory under its name, with or without an ending. */
export function readInput(name) {
  const directory = required("WAVE_INPUTS_DIR");
  const file = readdirSync(directory).find((entry) => entry === name || entry.startsWith(`${name}.`));
  if (file === undefined) fail(`the input ${name} is missing`);
  return readFileSync(path.join(directory, file), "utf8");
}

/** A JSON input. */
export function readJsonInput(name) {
  return JSON.parse(readInput(name));
}

/** Leaves an artifact. */
export function writeOutput(file, content) {
  const directory = required("WAVE_OUTPUT_DIR");
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, file), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
}

/** Says why the step failed, and ends it. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** A variable that wave sets for every step. */
export function required(name) {
  return process.env[name] ?? fail(`${name} is not set: this script is a step of wave.yaml`);
}
