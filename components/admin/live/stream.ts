/**
 * The stream of server-sent events that open pages listen to: it says that there is something new, and the page asks for
 * itself again.
 * @module
 */
import type { Ticker } from "./ticker.ts";

/** Proxies and browsers give silent streams up. */
const breathMs = 20_000;

/** Pieces that may wait for their reader. */
const mostUnread = 64;

const encoder = new TextEncoder();

/** One page's stream; ends when the ticker does, or has too many listeners. */
export function eventStream(ticker: Ticker): ReadableStream<Uint8Array> {
  let leave = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const say = (text: string) => {
        // Who does not read any more is told nothing: the next page he asks for has all that is new.
        if ((controller.desiredSize ?? 0) > -mostUnread) controller.enqueue(encoder.encode(text));
      };
      const listener = (change: number) => say(`event: change\ndata: ${change}\n\n`);
      const breath = setInterval(() => say(":\n\n"), breathMs);
      leave = () => {
        clearInterval(breath);
        ticker.leave(listener);
      };
      const end = () => {
        clearInterval(breath);
        controller.close();
      };
      if (ticker.listen(listener, end)) say("retry: 3000\n\n");
      else end();
    },
    cancel: () => leave(),
  });
}
