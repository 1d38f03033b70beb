/**
 * Reads the warnings of GitHub's clients, which print some failures as a warning, an error or a plain line and do not reject.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-a-warning-message
 */

const line = /^(?:::(?:warning|error)[^:]*::)?(.+)$/gm;

/** The kept length of a warning, in characters. */
const longest = 300;

const listeners = new Set<(text: string) => void>();
let isListening = false;

/** Runs `work` and returns the last printed text that matches `pattern`. The text is still printed. */
export async function withWarning<T>(pattern: RegExp, work: () => Promise<T>): Promise<{ readonly value: T; readonly warning?: string }> {
  listen();
  let warning: string | undefined;
  const onText = (text: string) => {
    if (pattern.test(text)) warning = text.length > longest ? `${text.slice(0, longest)} ...` : text;
  };
  listeners.add(onText);
  try {
    const value = await work();
    return warning === undefined ? { value } : { value, warning };
  } finally {
    listeners.delete(onText);
  }
}

/** The clients write whole lines to the thread's own standard output. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  const { stdout } = process;
  const write = stdout.write.bind(stdout) as (...args: readonly unknown[]) => boolean;
  stdout.write = (...args: readonly unknown[]) => {
    for (const [, text = ""] of String(args[0]).matchAll(line)) for (const onText of listeners) onText(plain(text));
    return write(...args);
  };
}

/** Removes the escapes of a command's data. */
function plain(text: string): string {
  return text.replaceAll("%0D", "").replaceAll("%0A", " ").replaceAll("%25", "%").trim();
}
