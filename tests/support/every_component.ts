/**
 * Control files with which every component there is has something to do.
 * @module
 */
export const everyComponent = {
  logfiles: undefined,
  mtasts: undefined,
  ratelimits: "client 10000/s\n",
  rcptcheck: "/usr/bin/true\n",
  tlsrpt: "1\n",
  dmarcrpt: "1\n",
  ipv6: "1\n",
  // Nobody listens where the scanners are looked for, so mail passes them.
  filters: "smtp: verify=pass rspamd=pass clamd=pass milter=pass custom=pass\nsubmission: sign=pass\n",
  milters: "127.0.0.1:1\n",
};
