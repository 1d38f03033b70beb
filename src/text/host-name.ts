/** Normalizes host names and IP addresses, so that a rule covers every spelling. Pure. */

/**
 * A host as the URL standard serializes it: lower case, international names as `xn--`, IPv4 addresses with four decimal parts
 * (`127.1` and `0x7f000001` are `127.0.0.1`), IPv6 addresses as in RFC 5952, without brackets. A trailing dot is removed: it does not
 * change the host. Undefined if the text is not a host, or names a network interface (`fe80::1%eth0`).
 */
export function canonicalHost(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (bare === "" || /[\s/\\?#@%[\]]/.test(bare)) return undefined;
  const url = `http://${bare.includes(":") ? `[${bare}]` : bare}/`;
  if (!URL.canParse(url)) return undefined;
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return host === "" ? undefined : host;
}
