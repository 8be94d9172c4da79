/** The scanner did not do its part: it cannot be reached, hangs up, or answers what nobody can read. */
export class ScannerError extends Error {
  override name = "ScannerError";
}
