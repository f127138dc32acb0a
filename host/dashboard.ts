/** Serves the live page of a run, to this machine only: its files, pictures, and a stream of what is new. */
import { UserError } from "../core/errors.ts";

export interface DashboardContent {
  /** Files by their path, with their types. */
  readonly files: ReadonlyMap<string, { readonly type: string; readonly body: string }>;
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

const HOSTNAME = "127.0.0.1";
/** Pages at a time; a browser has about six. */
const MOST_PAGES = 32;
/** Updates that may wait for a page; one that is further behind has to connect again. */
const MOST_WAITING = 64;
/** How long closing may take. */
const CLOSE_MILLISECONDS = 300;
const RECONNECT_MILLISECONDS = 2000;

const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

const encoder = new TextEncoder();

/** Serves at `port`, 0 for a free one. Throws `UserError` where it is taken. */
export function serveDashboard(port: number, content: DashboardContent): DashboardServer {
  const pages = new Set<ReadableStreamDefaultController<Uint8Array>>();

  function stream(): Response {
    if (pages.size >= MOST_PAGES) return refuse(503, "Too many pages are open.");
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
    return new Response(body, { headers: { ...SECURITY, "content-type": "text/event-stream" } });
  }

  async function respond(request: Request): Promise<Response> {
    // A name of another site that leads here must not read what only this machine may see (DNS rebinding).
    const host = request.headers.get("host")?.replace(/:\d+$/, "");
    if (host !== HOSTNAME && host !== "localhost") return refuse(403, "Only for this machine.");
    if (request.method !== "GET") return refuse(405, "Only GET.", { allow: "GET" });
    const { pathname } = new URL(request.url);
    if (pathname === "/events") return stream();
    const picture = /^\/samples\/(\d{1,9})\.bmp$/.exec(pathname);
    const bytes = picture && await content.picture(Number(picture[1]));
    if (bytes) return new Response(bytes, { headers: { ...SECURITY, "content-type": "image/bmp" } });
    const file = content.files.get(pathname);
    if (!file) return refuse(404, "There is no such page.");
    return new Response(file.body, {
      headers: { ...SECURITY, "content-type": `${file.type}; charset=utf-8` },
    });
  }

  const server = listen(port, respond);
  return {
    url: `http://${HOSTNAME}:${server.addr.port}/`,
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
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, CLOSE_MILLISECONDS);
      await Promise.race([server.shutdown(), timer.promise]);
      clearTimeout(timeout);
    },
  };

  function drop(page: ReadableStreamDefaultController<Uint8Array>): void {
    pages.delete(page);
    page.close();
  }
}

function listen(
  port: number,
  respond: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: HOSTNAME, port, onListen: () => {} }, respond);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UserError(
        `--dashboard ${port}: the port is taken; name another, or none and a free one is found`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(
        `--dashboard ${port}: the system allows no server at this port; name one above 1023`,
      );
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(`--dashboard needs the right to serve a page: deno run --allow-net=${HOSTNAME}`);
    }
    throw error;
  }
}

function message(event: string, data: unknown): Uint8Array {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function refuse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...SECURITY, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}
