/**
 * What smuggling is tried with.
 * @module
 */

/** A second envelope, which is to stay content. */
export const second =
  "MAIL FROM:<admin@example.com>\r\nRCPT TO:<joe@virt.example>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n";

/** Octets that some server takes for the end of content. */
export const sequences: readonly string[] = [
  ...[
    "\n.\n",
    "\n.\r",
    "\r.\n",
    "\r.\r",
    "\n.\r\n",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n.\r\r\n",
    "\r\r\n.\r\r\n",
    "\n\n.\r\n",
  ],
  ...["\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\0\n", "\r\n.\n\r\n", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n..\r\n"],
];
