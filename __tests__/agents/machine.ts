/** What npm and the agents need of this machine: its certificates, and where their cache is. */
export function machine(): Record<string, string> {
  const wanted = /^(?:HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|WAVE_CACHE_DIR|XDG_CACHE_HOME|https?_proxy|no_proxy|npm_config_.*)$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && wanted.test(name) ? [[name, value]] : [])),
  );
}
