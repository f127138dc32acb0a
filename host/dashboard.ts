/** Serves the live page of a run, to this machine only: its files, pictures, and a stream of what is new. */
import { within } from "../core/within.ts";
import { type PageFile, refusal, servePage } from "./page_server.ts";

export interface DashboardContent {
  /** By their path. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** All that a page needs which connects now. */
  snapshot(): unknown;
  /** A test image as a BMP file. */
  picture(index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface DashboardServer {
  readonly url: string;
  /** Pages that are open. */
  readonly pages: number;
  /** Sends an update to all open pages. */
  send(update: unknown): void;
  /** Lets what was sent arrive, and stops. */
  close(): Promise<void>;
}

/** Pages at a time; a browser has about six. */
const MOST_PAGES = 32;
/** Updates that may wait for a page; one that is further behind has to connect again. */
const MOST_WAITING = 64;
/** How long closing may take. */
const CLOSE_MILLISECONDS = 300;
const RECONNECT_MILLISECONDS = 2000;

const encoder = new TextEncoder();

/** Serves at `port`, 0 for a free one. Throws `UserError` where it is taken. */
export function serveDashboard(port: number, content: DashboardContent): DashboardServer {
  const pages = new Set<ReadableStreamDefaultController<Uint8Array>>();

  function stream(): Response {
    if (pages.size >= MOST_PAGES) return refusal(503, "Too many pages are open.");
    let page: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        page = controller;
        pages.add(page);
        page.enqueue(encoder.encode(`retry: ${RECONNECT_MILLISECONDS}\n`));
        page.enqueue(message("snapshot", content.snapshot()));
      },
      cancel: () => void pages.delete(page),
    }, { highWaterMark: MOST_WAITING });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  async function answer(path: string): Promise<Response | undefined> {
    if (path === "/events") return stream();
    const picture = /^\/samples\/(\d{1,9})\.bmp$/.exec(path);
    const bytes = picture && await content.picture(Number(picture[1]));
    return bytes ? new Response(bytes, { headers: { "content-type": "image/bmp" } }) : undefined;
  }

  const server = servePage(port, "--dashboard", { files: content.files, answer });
  return {
    url: server.url,
    get pages() {
      return pages.size;
    },
    send(update) {
      const bytes = message("update", update);
      for (const page of pages) {
        if (page.desiredSize! > 0) page.enqueue(bytes);
        else drop(page);
      }
    },
    async close() {
      for (const page of pages) drop(page);
      await within(CLOSE_MILLISECONDS, server.shutdown());
    },
  };

  function drop(page: ReadableStreamDefaultController<Uint8Array>): void {
    pages.delete(page);
    page.close();
  }
}

function message(event: string, data: unknown): Uint8Array {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
