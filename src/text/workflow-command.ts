/** Formats GitHub's workflow commands: `::name key=value,key=value::message`. Pure. */

import { withoutControls } from "./control-characters.ts";

/** Formats one command with the runner's escapes. Omits properties that are undefined or empty. */
export function workflowCommand(name: string, properties: Readonly<Record<string, string | number | undefined>>, message: string): string {
  const pairs = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [`${key}=${escapeProperty(String(value))}`],
  );
  return `::${name}${pairs.length === 0 ? "" : ` ${pairs.join(",")}`}::${escapeMessage(message)}`;
}

/** Escapes a message and its control characters, since the log shows it. */
function escapeMessage(text: string): string {
  const lines = text.split("\r\n").map((line) => withoutControls(line.replaceAll("\r", "\n")));
  return lines.join("\r\n").replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
