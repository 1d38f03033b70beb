/** Quotes arguments for a POSIX shell. Pure. */

/** `arg` as a shell word, in single quotes if it contains special characters. */
export function quote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
