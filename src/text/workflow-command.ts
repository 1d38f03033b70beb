/** GitHub's workflow commands: `::name key=value,key=value::message` on a line of its own. */

import { withoutControls } from "./control-characters.ts";

/** Writes one command, escaped as the runner reads it back. Properties without a value are left out. */
export function workflowCommand(name: string, properties: Readonly<Record<string, string | number | undefined>>, message: string): string {
  const given = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [`${key}=${escapeProperty(String(value))}`],
  );
  return `::${name}${given.length === 0 ? "" : ` ${given.join(",")}`}::${escapeMessage(message)}`;
}

/** The log shows the message, so it holds no control sequence. */
function escapeMessage(text: string): string {
  const lines = text.split("\r\n").map((line) => withoutControls(line.replaceAll("\r", "\n")));
  return lines.join("\r\n").replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
