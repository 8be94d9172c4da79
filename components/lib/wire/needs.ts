/**
 * What a process says when nobody listens on a socket that it wants to connect to: a component that runs on demand may be
 * asleep. Under a supervisor its word starts that component (`--supervised`, see lib/process/component.ts); elsewhere
 * nobody is told.
 * @module
 */

/** Told the path of the socket. */
let tell: (path: string) => void = () => {};

/** Whom this process tells from now on. */
export function tellNeedsTo(listener: (path: string) => void): void {
  tell = listener;
}

/** Nobody listens on `path`, and somebody should. */
export function tellNeed(path: string): void {
  tell(path);
}
