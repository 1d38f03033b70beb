/**
 * What GitHub's clients say of a failure where they do not fail: they print it for the job, as a warning, an error or a plain line, and go on.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-a-warning-message
 */

const line = /^(?:::(?:warning|error)[^:]*::)?(.+)$/gm;

/** Characters of it that are kept. */
const longest = 300;

const listeners = new Set<(text: string) => void>();
let isListening = false;

/** Does work, and gives besides what was said of it meanwhile: the last text that `about` fits. Each goes on to be printed. */
export async function withWarning<T>(about: RegExp, work: () => Promise<T>): Promise<{ readonly value: T; readonly said?: string }> {
  listen();
  let said: string | undefined;
  const hear = (text: string) => {
    if (about.test(text)) said = text.length > longest ? `${text.slice(0, longest)} ...` : text;
  };
  listeners.add(hear);
  try {
    const value = await work();
    return said === undefined ? { value } : { value, said };
  } finally {
    listeners.delete(hear);
  }
}

/** The clients write to the thread's own standard output, whole lines at a time. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  const { stdout } = process;
  const write = stdout.write.bind(stdout) as (...given: readonly unknown[]) => boolean;
  stdout.write = (...given: readonly unknown[]) => {
    for (const [, text = ""] of String(given[0]).matchAll(line)) for (const hear of listeners) hear(plain(text));
    return write(...given);
  };
}

/** Without the escapes of a command's data. */
function plain(text: string): string {
  return text.replaceAll("%0D", "").replaceAll("%0A", " ").replaceAll("%25", "%").trim();
}
