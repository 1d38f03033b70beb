/** Host names and IP addresses in one spelling, so that rules hold for all of them. Pure. */

/**
 * The spelling that the URL standard gives a host: lower case, international names as `xn--`, IPv4 addresses with four decimal parts
 * (`127.1` and `0x7f000001` are `127.0.0.1`), IPv6 addresses as RFC 5952 writes them, without brackets. A dot at the end is dropped, since
 * it names the same host. Undefined for a text that is no host, or that names an interface (`fe80::1%eth0`).
 */
export function canonicalHost(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (bare === "" || /[\s/\\?#@%[\]]/.test(bare)) return undefined;
  const url = `http://${bare.includes(":") ? `[${bare}]` : bare}/`;
  if (!URL.canParse(url)) return undefined;
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return host === "" ? undefined : host;
}
