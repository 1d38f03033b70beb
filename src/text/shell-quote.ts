/** Quotes words for a POSIX shell. Pure. */

/** A word that a shell reads as `arg`; in single quotes if it contains special characters. */
export function quote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
